namespace Perennial.Engine;

/// <summary>Whether messages flow, and if not, what holds them up and since when. A snapshot.</summary>
internal readonly record struct FlowStatus
{
    /// <summary>When the transport entered its state.</summary>
    public required DateTimeOffset StateSince { get; init; }

    /// <summary>When the application paused the transport; <see langword="null"/> while it is not paused.</summary>
    public required DateTimeOffset? PausedSince { get; init; }

    /// <summary>When the buffer reached its high-water mark; <see langword="null"/> while it is below.</summary>
    public required DateTimeOffset? FullSince { get; init; }

    /// <summary>When the peer last sent a byte; <see langword="null"/> while no read waits for it.</summary>
    public required DateTimeOffset? SilentSince { get; init; }

    /// <summary>How long the peer has been silent; zero while no read waits for it.</summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>The silence after which the connection is given up, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public required TimeSpan IdleLimit { get; init; }

    /// <summary>Whether a sequence is being read or messages are handled by an event.</summary>
    public required bool IsBeingRead { get; init; }
}
