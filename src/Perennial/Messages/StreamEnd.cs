namespace Perennial;

/// <summary>Describes how a stream ended.</summary>
public sealed record StreamEnd
{
    /// <summary>Gets how the stream ended.</summary>
    public required StreamEndReason Reason { get; init; }

    /// <summary>
    /// Gets the error of <see cref="StreamEndReason.Interrupted"/> and <see cref="StreamEndReason.Failed"/>; otherwise
    /// <see langword="null"/>.
    /// </summary>
    public TransportException? Error { get; init; }

    internal static StreamEnd Completed { get; } = new StreamEnd { Reason = StreamEndReason.Completed };

    internal static StreamEnd Stopped { get; } = new StreamEnd { Reason = StreamEndReason.Stopped };

    internal static StreamEnd ClosedByCaller { get; } = new StreamEnd { Reason = StreamEndReason.Closed };
}

/// <summary>Specifies how a stream ended.</summary>
public enum StreamEndReason
{
    /// <summary>The server finished the stream, and all its messages arrived.</summary>
    Completed,

    /// <summary>The server stopped the stream as requested.</summary>
    Stopped,

    /// <summary>The caller closed or disposed the transport. The server may continue.</summary>
    Closed,

    /// <summary>The connection was lost, and another attempt would repeat a side effect or restart the stream unnoticed.</summary>
    Interrupted,

    /// <summary>A final error occurred, or all attempts failed.</summary>
    Failed,
}
