namespace Perennial.AspNetCore.Stores;

/// <summary>Some of the runs of an owner, newest first.</summary>
public sealed record RunLogPage
{
    /// <summary>Gets the runs, for readers and senders.</summary>
    public required IReadOnlyList<RunLog> Runs { get; init; }

    /// <summary>Gets where the next page begins; null if there are no more runs.</summary>
    public long? Next { get; init; }

    /// <summary>Gets the page without runs.</summary>
    public static RunLogPage Empty { get; } = new() { Runs = [] };
}
