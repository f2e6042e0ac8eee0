namespace Perennial.Engine;

/// <summary>Whether messages flow. If they do not, what holds them back and since when. A snapshot.</summary>
internal readonly record struct FlowStatus
{
    /// <summary>The time at which the transport entered its state.</summary>
    public required DateTimeOffset StateSince { get; init; }

    /// <summary>The time at which the application paused the transport. <see langword="null"/> if it is not paused.</summary>
    public required DateTimeOffset? PausedSince { get; init; }

    /// <summary>The time at which the buffer reached its high-water mark. <see langword="null"/> if it is below the mark.</summary>
    public required DateTimeOffset? FullSince { get; init; }

    /// <summary>The time at which the peer last sent a byte. <see langword="null"/> while no read is in progress.</summary>
    public required DateTimeOffset? SilentSince { get; init; }

    /// <summary>The time since the last byte. Zero while no read is in progress.</summary>
    public required TimeSpan Silence { get; init; }

    /// <summary>The silence after which the connection counts as lost, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public required TimeSpan IdleLimit { get; init; }

    /// <summary>Whether a sequence is being read or messages are handled by an event.</summary>
    public required bool IsBeingRead { get; init; }
}
