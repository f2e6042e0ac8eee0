namespace Perennial.AspNetCore.Stores;

/// <summary>What became of an event that was appended.</summary>
/// <param name="Outcome">Whether it is recorded.</param>
/// <param name="Sequence">Its number where it is recorded; else 0.</param>
public readonly record struct AppendResult(AppendOutcome Outcome, long Sequence = 0);

/// <summary>Whether an event was recorded.</summary>
public enum AppendOutcome
{
    /// <summary>It is recorded.</summary>
    Appended,

    /// <summary>The run has ended.</summary>
    Closed,

    /// <summary>The run would exceed <see cref="PerennialServerOptions.MaxBytesPerRun"/>. It is still open.</summary>
    TooLarge,

    /// <summary>The store has no room left for any run. The run is still open.</summary>
    StoreFull,

    /// <summary>This node is not, or no longer, the producer of the run.</summary>
    Fenced,
}
