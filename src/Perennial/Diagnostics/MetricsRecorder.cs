namespace Perennial.Diagnostics;

/// <summary>A transport's counts. Each is added to from anywhere; a snapshot reads them one by one.</summary>
internal sealed class MetricsRecorder(string kind, TimeProvider time)
{
    private const long Never = long.MinValue;

    private readonly KeyValuePair<string, object?> _kind = new("perennial.transport", kind);
    private long _messagesReceived;
    private long _messagesSent;
    private long _bytesReceived;
    private long _bytesSent;
    private long _errors;
    private long _reconnectAttempts;
    private long _resumes;
    private long _gaps;
    private long _announcedDrops;
    private long _lateReplies;
    private long _handlerErrors;
    private long _firstConnectAt = Never;
    private long _connectedAt = Never;
    private long _firstMessageTicks = Never;
    private TransportException? _lastError;

    public LatencyRecorder Latency { get; } = new(time);

    public void ConnectStarted() => Interlocked.CompareExchange(ref _firstConnectAt, time.GetTimestamp(), Never);

    public void Connected(bool isResume)
    {
        PerennialTelemetry.Connections.Add(1, _kind);
        Volatile.Write(ref _connectedAt, time.GetTimestamp());
        if (isResume)
        {
            Interlocked.Increment(ref _resumes);
        }
    }

    public void Disconnected() => Volatile.Write(ref _connectedAt, Never);

    public void BytesReceived(long count)
    {
        PerennialTelemetry.Bytes.Add(count, _kind);
        Volatile.Write(ref _bytesReceived, _bytesReceived + count);
    }

    public void MessagesReceived(int count, long receivedAt)
    {
        PerennialTelemetry.Messages.Add(count, _kind);
        Volatile.Write(ref _messagesReceived, _messagesReceived + count);
        if (_firstMessageTicks == Never)
        {
            var elapsed = time.GetElapsedTime(_firstConnectAt, receivedAt);
            PerennialTelemetry.TimeToFirstMessage.Record(elapsed.TotalSeconds, _kind);
            Volatile.Write(ref _firstMessageTicks, elapsed.Ticks);
        }
    }

    public void MessageSent(int bytes)
    {
        PerennialTelemetry.Sends.Add(1, _kind);
        Interlocked.Increment(ref _messagesSent);
        Interlocked.Add(ref _bytesSent, bytes);
    }

    public void Error(TransportException error)
    {
        PerennialTelemetry.Errors.Add(1, _kind, new KeyValuePair<string, object?>("error.type", error.Code));
        Interlocked.Increment(ref _errors);
        Volatile.Write(ref _lastError, error);
    }

    public void Reconnecting(TransportErrorCode cause)
    {
        PerennialTelemetry.Reconnects.Add(1, _kind, new KeyValuePair<string, object?>("error.type", cause));
        Interlocked.Increment(ref _reconnectAttempts);
    }

    public void Gap()
    {
        PerennialTelemetry.Gaps.Add(1, _kind);
        Interlocked.Increment(ref _gaps);
    }

    /// <summary>Counts drops that are being announced, and returns how many were announced in all.</summary>
    public long MessagesDropped(long count)
    {
        PerennialTelemetry.Dropped.Add(count, _kind);
        return Interlocked.Add(ref _announcedDrops, count);
    }

    public void LateReply()
    {
        PerennialTelemetry.LateReplies.Add(1, _kind);
        Interlocked.Increment(ref _lateReplies);
    }

    public void HandlerThrew() => Interlocked.Increment(ref _handlerErrors);

    public TransportMetrics Snapshot(string id, TransportState state, int bufferSize, long dropped, int outstandingRequests)
    {
        var connectedAt = Volatile.Read(ref _connectedAt);
        var duration = connectedAt == Never ? TimeSpan.Zero : time.GetElapsedTime(connectedAt);
        var firstMessage = Volatile.Read(ref _firstMessageTicks);
        return new TransportMetrics
        {
            Id = id,
            Kind = kind,
            State = state,
            ConnectedAt = connectedAt == Never ? null : time.GetUtcNow() - duration,
            ConnectionDuration = duration,
            MessagesReceived = Volatile.Read(ref _messagesReceived),
            MessagesSent = Volatile.Read(ref _messagesSent),
            BytesReceived = Volatile.Read(ref _bytesReceived),
            BytesSent = Volatile.Read(ref _bytesSent),
            Errors = Volatile.Read(ref _errors),
            ReconnectAttempts = Volatile.Read(ref _reconnectAttempts),
            Resumes = Volatile.Read(ref _resumes),
            Gaps = Volatile.Read(ref _gaps),
            Dropped = dropped,
            OutstandingRequests = outstandingRequests,
            LateReplies = Volatile.Read(ref _lateReplies),
            HandlerErrors = Volatile.Read(ref _handlerErrors),
            BufferSize = bufferSize,
            TimeToFirstMessage = firstMessage == Never ? null : TimeSpan.FromTicks(firstMessage),
            AverageLatency = Latency.Average,
            LatencyP50 = Latency.Percentile(0.50),
            LatencyP95 = Latency.Percentile(0.95),
            LatencyP99 = Latency.Percentile(0.99),
            LastError = Volatile.Read(ref _lastError),
        };
    }
}
