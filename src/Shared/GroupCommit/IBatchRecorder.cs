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

    /// <summary>
    /// Whether the failure, which is transient, may be about the events of one run, so that the other runs of the batch can be recorded.
    /// Then nothing of the batch is recorded.
    /// </summary>
    bool IsOfOneRun(Exception failure);

    /// <summary>Called when all writes are recorded again after a transient failure.</summary>
    void OnRecovered();

    /// <summary>Called when the writes of a run are abandoned.</summary>
    void OnAbandoned(RunKey run, Exception reason);
}
