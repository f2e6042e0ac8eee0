using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>The names of a run: its number in the store, and its id and epoch elsewhere.</summary>
/// <param name="Run">Its number, which the store assigns and never reuses.</param>
/// <param name="Id">Its name in its URL.</param>
/// <param name="Epoch">The beginning of its event ids.</param>
/// <param name="Dialect">The name of its dialect; null for none.</param>
internal sealed record RunKey(long Run, string Id, string Epoch, string? Dialect)
{
    /// <summary>The number of its producer, from 1, which each takeover increments; 0 for readers and senders.</summary>
    public int Producer { get; init; }

    /// <summary>Its owner, key, metadata and resumption.</summary>
    public RunDescription Description { get; init; } = RunDescription.None;
}
