namespace Perennial.AspNetCore.Stores;

/// <summary>The outcome of an append.</summary>
public readonly record struct AppendResult
{
    /// <summary>Gets whether the event is recorded.</summary>
    public required AppendOutcome Outcome { get; init; }

    /// <summary>Gets its sequence if it is recorded; otherwise 0.</summary>
    public long Sequence { get; init; }
}

/// <summary>Whether an event was recorded.</summary>
public enum AppendOutcome
{
    /// <summary>The event is recorded.</summary>
    Appended,

    /// <summary>The run has ended.</summary>
    Closed,

    /// <summary>The run would exceed <see cref="PerennialServerOptions.MaxBytesPerRun"/>. It is still open.</summary>
    TooLarge,

    /// <summary>The store has no room for further events of any run. The run is still open.</summary>
    StoreFull,

    /// <summary>This node is not, or is no longer, the producer of the run.</summary>
    Fenced,
}
