namespace Perennial;

/// <summary>Describes how a stream ended.</summary>
/// <param name="Reason">How the stream ended.</param>
/// <param name="Error">
/// The error for <see cref="StreamEndReason.Interrupted"/> and <see cref="StreamEndReason.Failed"/>; otherwise <see langword="null"/>.
/// </param>
public sealed record StreamEnd(StreamEndReason Reason, TransportException? Error = null)
{
    internal static StreamEnd Completed { get; } = new(StreamEndReason.Completed);

    internal static StreamEnd Stopped { get; } = new(StreamEndReason.Stopped);

    internal static StreamEnd ClosedByCaller { get; } = new(StreamEndReason.Closed);
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
