namespace Perennial;

/// <summary>How a stream ended. Different endings are different values; none of them is a mere "done".</summary>
/// <param name="Reason">What happened.</param>
/// <param name="Error">What went wrong, for <see cref="StreamEndReason.Interrupted"/> and <see cref="StreamEndReason.Failed"/>; else <see langword="null"/>.</param>
public sealed record StreamEnd(StreamEndReason Reason, TransportException? Error = null)
{
    internal static StreamEnd Completed { get; } = new(StreamEndReason.Completed);

    internal static StreamEnd Stopped { get; } = new(StreamEndReason.Stopped);

    internal static StreamEnd ClosedByCaller { get; } = new(StreamEndReason.Closed);
}

/// <summary>The ways in which a stream can end.</summary>
public enum StreamEndReason
{
    /// <summary>The server finished what it had to say, and all of it arrived.</summary>
    Completed,

    /// <summary>The server was asked to stop and did.</summary>
    Stopped,

    /// <summary>The caller closed or disposed the transport. The server may go on.</summary>
    Closed,

    /// <summary>The connection was lost and going on would repeat a side effect or hand out a silent restart.</summary>
    Interrupted,

    /// <summary>An error that retrying does not mend, or attempts are spent.</summary>
    Failed,
}
