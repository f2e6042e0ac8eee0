namespace Perennial.AspNetCore.Stores;

/// <summary>A new run for a store to record, with its settings.</summary>
public sealed record NewRun
{
    /// <summary>Gets the name of the run in its URL. It is random, so it is not in use.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// Gets the epoch, which is random for each run. It is part of every event id, and identifies the producer.
    /// </summary>
    public required string Epoch { get; init; }

    /// <summary>Gets whether the producer receives messages. If not, each message is <see cref="ReceiveOutcome.NotTaken"/>.</summary>
    public bool TakesMessages { get; init; }

    /// <summary>
    /// Gets the key of the request that starts the run; null for none. It is recorded together with the run, or neither is.
    /// </summary>
    public StartKey? Start { get; init; }

    /// <summary>Gets how long the run is kept after its end; null for <see cref="PerennialServerOptions.FinishedRunRetention"/>.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>Gets the name of the run's dialect, which <see cref="RunLog.Dialect"/> returns on every node; null for none.</summary>
    public string? Dialect { get; init; }

    /// <summary>
    /// Gets the owner, the key and the metadata, which <see cref="RunLog.Description"/> returns on every node. Never null.
    /// </summary>
    public RunDescription Description { get; init; } = RunDescription.None;
}
