namespace Perennial.AspNetCore.Stores;

/// <summary>A run that a store is to record, and what holds for it as long as it is kept.</summary>
/// <param name="Id">The name of the run in its URL; drawn at random, so not in use.</param>
/// <param name="Epoch">Drawn anew for each run; part of every event id, and the proof of being the producer.</param>
public sealed record NewRun(string Id, string Epoch)
{
    /// <summary>Whether the producer receives messages; if not, each is <see cref="ReceiveOutcome.NotTaken"/>.</summary>
    public bool TakesMessages { get; init; }

    /// <summary>The key whose request starts the run; null for none. It is recorded together with the run, or neither is.</summary>
    public StartKey? Start { get; init; }

    /// <summary>How long the run is kept after its end; null for <see cref="PerennialServerOptions.FinishedRunRetention"/>.</summary>
    public TimeSpan? Retention { get; init; }
}
