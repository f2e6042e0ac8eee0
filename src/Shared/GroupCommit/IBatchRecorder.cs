namespace Perennial.GroupCommit;

/// <summary>Records batches in a store. Used by one <see cref="GroupCommitWriter"/>, one call at a time.</summary>
internal interface IBatchRecorder : IAsyncDisposable
{
    /// <summary>Records the writes of a batch, for each run all or none, and returns the outcome for each run.</summary>
    Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(WriteBatch batch, CancellationToken cancellationToken);

    /// <summary>Called after a failure, before the next attempt.</summary>
    ValueTask OnFailedAsync(Exception failure);

    /// <summary>Whether a later attempt to record the same batch may succeed.</summary>
    bool IsTransient(Exception failure);

    /// <summary>Called when the writes of a run are abandoned.</summary>
    void OnAbandoned(RunKey run, Exception reason);
}
