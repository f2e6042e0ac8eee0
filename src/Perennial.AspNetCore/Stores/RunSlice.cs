namespace Perennial.AspNetCore.Stores;

/// <summary>A part of a run, and the state of the whole run at the moment of reading.</summary>
public readonly record struct RunSlice
{
    /// <summary>Gets records, in order without holes.</summary>
    public required ReadOnlyMemory<RunRecord> Records { get; init; }

    /// <summary>
    /// Gets the state of the run. A reader that has the record <see cref="RunState.Tail"/> of a run that ended has everything.
    /// </summary>
    public required RunState State { get; init; }
}

/// <summary>The status of a run and the range of its records.</summary>
public readonly record struct RunState
{
    /// <summary>Gets whether the run goes on, or how it ended.</summary>
    public required RunStatus Status { get; init; }

    /// <summary>Gets the sequence of the newest record, which is the end if the run ended; 0 before the first.</summary>
    public required long Tail { get; init; }

    /// <summary>
    /// Gets the sequence of the oldest record that is still kept: 1 unless records were dropped, also before the first.
    /// </summary>
    public required long Oldest { get; init; }
}
