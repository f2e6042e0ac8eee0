namespace Perennial.AspNetCore.Stores;

/// <summary>Part of a run, and the state of the whole at the moment of reading.</summary>
/// <param name="Records">Records in order without holes.</param>
/// <param name="State">The state of the run. A reader that has the record <see cref="RunState.Tail"/> of a run that ended has everything.</param>
public readonly record struct RunSlice(ReadOnlyMemory<RunRecord> Records, RunState State);

/// <summary>Whether a run goes on, and which records there are.</summary>
/// <param name="Status">Whether it goes on, and if not, how it ended.</param>
/// <param name="Tail">The sequence of the newest record, which is the end where the run ended; 0 before the first.</param>
/// <param name="Oldest">The sequence of the oldest record that is still kept: 1 as long as nothing was dropped, also before the first.</param>
public readonly record struct RunState(RunStatus Status, long Tail, long Oldest);
