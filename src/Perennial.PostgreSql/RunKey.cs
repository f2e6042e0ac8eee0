namespace Perennial.PostgreSql;

/// <summary>What names a run: its number in the database, and its id and epoch everywhere else.</summary>
/// <param name="Run">Its number, given by the database and never given again.</param>
/// <param name="Id">Its name in its URL.</param>
/// <param name="Epoch">What its event ids begin with; checked with every write, so that a restored database fences those who wrote before.</param>
internal sealed record RunKey(long Run, string Id, string Epoch);
