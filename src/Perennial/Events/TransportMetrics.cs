namespace Perennial;

/// <summary>What a transport did so far, as one snapshot. Counts run from the transport's creation, over all its connections.</summary>
public sealed record TransportMetrics
{
    /// <summary><see cref="Transport.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary><see cref="Transport.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary><see cref="Transport.State"/>.</summary>
    public required TransportState State { get; init; }

    /// <summary>When the present connection was established; <see langword="null"/> while there is none.</summary>
    public DateTimeOffset? ConnectedAt { get; init; }

    /// <summary>How long the present connection has stood; zero while there is none.</summary>
    public TimeSpan ConnectionDuration { get; init; }

    /// <summary>When a byte last arrived or a message last left; <see langword="null"/> before the first.</summary>
    public DateTimeOffset? LastActivityAt { get; init; }

    /// <summary>When the peer last gave a sign of life that was no message: a comment, a pong. <see langword="null"/> before the first.</summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>How long the peer last took to answer a ping, to the next of its bytes; <see langword="null"/> before the first answer.</summary>
    public TimeSpan? LastPingRoundTrip { get; init; }

    /// <summary>
    /// Tries that failed in a row. Zero again after a message was handed over or the connection stood for
    /// <see cref="ReconnectOptions.StableAfter"/>.
    /// </summary>
    public int ConsecutiveErrors { get; init; }

    /// <summary>Messages handed to the buffer or, as replies, to their requests.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages sent, acknowledged or not.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Bytes read from connections, framing and heartbeats included, after decompression.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Payload bytes of the messages sent.</summary>
    public long BytesSent { get; init; }

    /// <summary>Errors reported, recoverable ones included.</summary>
    public long Errors { get; init; }

    /// <summary>Reconnect attempts made.</summary>
    public long ReconnectAttempts { get; init; }

    /// <summary>Connections that went on from a resume point.</summary>
    public long Resumes { get; init; }

    /// <summary>Gaps detected.</summary>
    public long Gaps { get; init; }

    /// <summary>Messages dropped because the buffer was full.</summary>
    public long Dropped { get; init; }

    /// <summary>Requests that wait for replies.</summary>
    public int OutstandingRequests { get; init; }

    /// <summary>Replies that were dropped because nobody waited for them any more.</summary>
    public long LateReplies { get; init; }

    /// <summary>Exceptions thrown by event handlers, loggers and listeners of metrics and activities. They change nothing else.</summary>
    public long HandlerErrors { get; init; }

    /// <summary>Messages waiting for the reader.</summary>
    public int BufferSize { get; init; }

    /// <summary>From the first call to connect until the first message; <see langword="null"/> before it.</summary>
    public TimeSpan? TimeToFirstMessage { get; init; }

    /// <summary>Mean time from the socket to the reader, waits in the buffer included. Sampled once a batch; zero without samples.</summary>
    public TimeSpan AverageLatency { get; init; }

    /// <summary>Median time from the socket to the reader, to the nearest power of the square root of two.</summary>
    public TimeSpan LatencyP50 { get; init; }

    /// <summary>95th percentile of the time from the socket to the reader.</summary>
    public TimeSpan LatencyP95 { get; init; }

    /// <summary>99th percentile of the time from the socket to the reader.</summary>
    public TimeSpan LatencyP99 { get; init; }

    /// <summary>The last error reported, or <see langword="null"/>.</summary>
    public TransportException? LastError { get; init; }
}
