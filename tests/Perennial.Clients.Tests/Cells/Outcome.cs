using Perennial.Clients.Tests.Clients;

namespace Perennial.Clients.Tests.Cells;

/// <summary>What a client told its application: a reading or an error.</summary>
/// <param name="Reading">What it read; null if it threw.</param>
/// <param name="Error">What it threw.</param>
/// <param name="Prompts">How often the provider was paid.</param>
internal sealed record Outcome(Reading? Reading, string? Error, int Prompts)
{
    /// <summary>Whether the error has the provider's own message. Some clients do not show it.</summary>
    public bool TellsError => Error?.Contains(AnswerCase.Message, StringComparison.Ordinal) is true;

    /// <summary>What an application must think of the answer.</summary>
    public Verdict VerdictOf(OfficialClient client) =>
        Error is not null ? Verdict.Error : Reading == client.WholeReading ? Verdict.Whole : Verdict.QuietHalf;
}

internal enum Verdict
{
    Whole,
    Error,

    /// <summary>Part of the answer, and nothing that says so.</summary>
    QuietHalf,
}

