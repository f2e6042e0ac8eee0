namespace Perennial.AspNetCore.Stores;

/// <summary>A run that a store is to record, and what holds for it as long as it is kept.</summary>
public sealed record NewRun
{
    /// <summary>Gets the name of the run in its URL. It is drawn at random, so it is not in use.</summary>
    public required string Id { get; init; }

    /// <summary>
    /// Gets the epoch, which is drawn anew for each run. It is part of every event id, and the proof of being the producer.
    /// </summary>
    public required string Epoch { get; init; }

    /// <summary>Whether the producer receives messages; if not, each is <see cref="ReceiveOutcome.NotTaken"/>.</summary>
    public bool TakesMessages { get; init; }

    /// <summary>
    /// Gets the key of the request that starts the run; null for none. It is recorded together with the run, or neither is.
    /// </summary>
    public StartKey? Start { get; init; }

    /// <summary>Gets how long the run is kept after its end; null for <see cref="PerennialServerOptions.FinishedRunRetention"/>.</summary>
    public TimeSpan? Retention { get; init; }
}
