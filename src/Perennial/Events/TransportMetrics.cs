namespace Perennial;

/// <summary>
/// A snapshot of a transport's counters and times. Counters start when the transport is created and cover all its connections.
/// </summary>
public sealed record TransportMetrics
{
    /// <summary>Gets the <see cref="Transport.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the <see cref="Transport.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the <see cref="Transport.State"/>.</summary>
    public required TransportState State { get; init; }

    /// <summary>Gets when the present connection was established, or <see langword="null"/> if there is none.</summary>
    public DateTimeOffset? ConnectedAt { get; init; }

    /// <summary>Gets how long the present connection has been open. Zero if there is none.</summary>
    public TimeSpan ConnectionDuration { get; init; }

    /// <summary>Gets when a byte last arrived or a message was last sent. <see langword="null"/> before the first.</summary>
    public DateTimeOffset? LastActivityAt { get; init; }

    /// <summary>
    /// Gets when the peer last sent something other than a message: a comment, a pong. <see langword="null"/> before the first.
    /// </summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>
    /// Gets the time from the last answered ping to the next bytes from the peer. <see langword="null"/> before the first answer.
    /// </summary>
    public TimeSpan? LastPingRoundTrip { get; init; }

    /// <summary>
    /// Gets the number of consecutive failed attempts. It restarts at zero when a message was delivered, or when the connection has lasted
    /// for <see cref="ReconnectOptions.StableAfter"/>.
    /// </summary>
    public int ConsecutiveErrors { get; init; }

    /// <summary>Gets the number of messages put into the buffer or, as replies, delivered to their requests.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Gets the number of messages sent, acknowledged or not.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Gets the number of bytes read from connections, including framing and heartbeats, after decompression.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Gets the number of payload bytes in sent messages.</summary>
    public long BytesSent { get; init; }

    /// <summary>Gets the number of errors reported, including recoverable ones.</summary>
    public long Errors { get; init; }

    /// <summary>Gets the number of reconnect attempts.</summary>
    public long ReconnectAttempts { get; init; }

    /// <summary>Gets the number of connections that resumed after an id.</summary>
    public long Resumes { get; init; }

    /// <summary>Gets the number of gaps detected.</summary>
    public long Gaps { get; init; }

    /// <summary>Gets the number of messages dropped because the buffer was full.</summary>
    public long Dropped { get; init; }

    /// <summary>Gets the number of requests that wait for replies.</summary>
    public int OutstandingRequests { get; init; }

    /// <summary>Gets the number of replies dropped because their request had ended.</summary>
    public long LateReplies { get; init; }

    /// <summary>
    /// Gets the number of exceptions thrown by event handlers, loggers and listeners of metrics and activities. The exceptions have no
    /// other effect.
    /// </summary>
    public long HandlerErrors { get; init; }

    /// <summary>Gets the number of messages waiting for the reader.</summary>
    public int BufferSize { get; init; }

    /// <summary>
    /// Gets the time from the first call that connects to the first message. <see langword="null"/> before the first message.
    /// </summary>
    public TimeSpan? TimeToFirstMessage { get; init; }

    /// <summary>
    /// Gets the mean time from the socket to the reader, including the wait in the buffer. Sampled once per batch; zero without samples.
    /// </summary>
    public TimeSpan AverageLatency { get; init; }

    /// <summary>Gets the median time from the socket to the reader, rounded to a power of the square root of two.</summary>
    public TimeSpan LatencyP50 { get; init; }

    /// <summary>Gets the 95th percentile of the time from the socket to the reader.</summary>
    public TimeSpan LatencyP95 { get; init; }

    /// <summary>Gets the 99th percentile of the time from the socket to the reader.</summary>
    public TimeSpan LatencyP99 { get; init; }

    /// <summary>Gets the last error reported, or <see langword="null"/>.</summary>
    public TransportException? LastError { get; init; }
}
