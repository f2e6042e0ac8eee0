namespace Perennial.AspNetCore;

/// <summary>Some of the runs of an owner, newest first, from <see cref="StreamRuns.FindByOwnerAsync"/>.</summary>
public sealed record RunPage
{
    /// <summary>Gets the runs, whether they go on or have ended.</summary>
    public required IReadOnlyList<StreamRun> Runs { get; init; }

    /// <summary>Gets the value to pass for the next page; null if there are no more runs.</summary>
    public long? Next { get; init; }
}
