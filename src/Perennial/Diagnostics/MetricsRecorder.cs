namespace Perennial.Diagnostics;

/// <summary>The counters of one transport. Any thread may add to them. A snapshot reads the counters one after the other.</summary>
internal sealed class MetricsRecorder(string kind, TimeProvider time)
{
    private const long Never = long.MinValue;

    private long _messagesReceived;
    private long _messagesSent;
    private long _bytesReceived;
    private long _bytesSent;
    private long _firstConnectAt = Never;
    private long _connectedAt = Never;
    private long _firstMessageTicks = Never;
    private long _activityAt = Never;
    private long _heartbeatAt = Never;
    private long _pingTicks = Never;
    private int _errors;
    private int _consecutiveErrors;
    private int _reconnectAttempts;
    private int _resumes;
    private int _gaps;
    private int _lateReplies;
    private int _observerErrors;
    private TransportException? _lastError;
    private LatencyRecorder _handOvers = new();

    private KeyValuePair<string, object?> Tag => new("perennial.transport", kind);

    public void ConnectStarted() => Interlocked.CompareExchange(ref _firstConnectAt, time.GetTimestamp(), Never);

    public void Connected(bool isResume)
    {
        Note(PerennialTelemetry.Connections.TryRecord(1, Tag));
        Note(PerennialTelemetry.ActiveConnections.TryRecord(1, Tag));
        Volatile.Write(ref _connectedAt, time.GetTimestamp());
        if (isResume)
        {
            Note(PerennialTelemetry.Resumes.TryRecord(1, Tag));
            Interlocked.Increment(ref _resumes);
        }
    }

    /// <summary>Records the end of a connection. Each <see cref="Connected"/> is followed by one call.</summary>
    public void Disconnected()
    {
        Note(PerennialTelemetry.ActiveConnections.TryRecord(-1, Tag));
        Volatile.Write(ref _connectedAt, Never);
    }

    /// <summary>Records a finished read: its bytes, and whether it yielded a message or only a heartbeat.</summary>
    public void BytesReceived(long count, bool isHeartbeat, long receivedAt)
    {
        Volatile.Write(ref _activityAt, receivedAt);
        if (isHeartbeat)
        {
            Volatile.Write(ref _heartbeatAt, receivedAt);
        }

        Note(PerennialTelemetry.Bytes.TryRecord(count, Tag));
        Volatile.Write(ref _bytesReceived, _bytesReceived + count);
    }

    /// <summary>Records that the peer is alive although no read has ended.</summary>
    public void Heard() => Volatile.Write(ref _activityAt, time.GetTimestamp());

    /// <summary>Records the answer to a ping.</summary>
    public void PingAnswered(TimeSpan roundTrip)
    {
        Note(PerennialTelemetry.PingDuration.TryRecord(roundTrip.TotalSeconds, Tag));
        Volatile.Write(ref _pingTicks, roundTrip.Ticks);
        Volatile.Write(ref _heartbeatAt, time.GetTimestamp());
    }

    /// <summary>Returns the same send, measured from now on if a listener is registered.</summary>
    public Task<SendOutcome> Measured(Task<SendOutcome> send) => PerennialTelemetry.SendDuration.Enabled ? MeasuredAsync(send) : send;

    public void MessagesReceived(int count, long receivedAt)
    {
        Note(PerennialTelemetry.Messages.TryRecord(count, Tag));
        Volatile.Write(ref _messagesReceived, _messagesReceived + count);
        if (_firstMessageTicks == Never)
        {
            var elapsed = time.GetElapsedTime(_firstConnectAt, receivedAt);
            Note(PerennialTelemetry.TimeToFirstMessage.TryRecord(elapsed.TotalSeconds, Tag));
            Volatile.Write(ref _firstMessageTicks, elapsed.Ticks);
        }
    }

    /// <summary>Resets the count of consecutive failures, because the stream made progress.</summary>
    public void Progressed() => Volatile.Write(ref _consecutiveErrors, 0);

    /// <summary>
    /// Records that the reader received a batch, with the time at which its oldest message was read from the socket. Only the reader calls
    /// it.
    /// </summary>
    public void HandedOver(long receivedAt)
    {
        var elapsed = time.GetElapsedTime(receivedAt);
        Note(PerennialTelemetry.HandOverLatency.TryRecord(elapsed.TotalSeconds, Tag));
        _handOvers.Record(elapsed);
    }

    public void MessageSent(int bytes)
    {
        Note(PerennialTelemetry.Sends.TryRecord(1, Tag));
        Interlocked.Increment(ref _messagesSent);
        Interlocked.Add(ref _bytesSent, bytes);
        Volatile.Write(ref _activityAt, time.GetTimestamp());
    }

    public void Error(TransportException error)
    {
        Note(PerennialTelemetry.Errors.TryRecord(1, Tag, ErrorType(error.Code)));
        Interlocked.Increment(ref _errors);
        Volatile.Write(ref _lastError, error);
    }

    /// <summary>Records a failed attempt, with the number of consecutive failures.</summary>
    public void TryFailed(int inARow) => Volatile.Write(ref _consecutiveErrors, inARow);

    public void Reconnecting(TransportErrorCode cause)
    {
        Note(PerennialTelemetry.Reconnects.TryRecord(1, Tag, ErrorType(cause)));
        Interlocked.Increment(ref _reconnectAttempts);
    }

    public void Gap()
    {
        Note(PerennialTelemetry.Gaps.TryRecord(1, Tag));
        Interlocked.Increment(ref _gaps);
    }

    public void MessagesDropped(int count) => Note(PerennialTelemetry.Dropped.TryRecord(count, Tag));

    public void LateReply()
    {
        Note(PerennialTelemetry.LateReplies.TryRecord(1, Tag));
        Interlocked.Increment(ref _lateReplies);
    }

    /// <summary>Records an exception of an event handler, a logger or a listener. Any thread may call it.</summary>
    public void ObserverThrew() => Interlocked.Increment(ref _observerErrors);

    public TransportMetrics Snapshot(
        string id, TransportState state, TimeSpan stableAfter, int bufferSize, long dropped, int outstandingRequests)
    {
        var connectedAt = Volatile.Read(ref _connectedAt);
        var duration = connectedAt == Never ? TimeSpan.Zero : time.GetElapsedTime(connectedAt);
        var firstMessage = Volatile.Read(ref _firstMessageTicks);
        return new TransportMetrics
        {
            Id = id,
            Kind = kind,
            State = state,
            ConnectedAt = Moment(connectedAt),
            ConnectionDuration = duration,
            LastActivityAt = Moment(Volatile.Read(ref _activityAt)),
            LastHeartbeatAt = Moment(Volatile.Read(ref _heartbeatAt)),
            LastPingRoundTrip = Volatile.Read(ref _pingTicks) is var ping and not Never ? TimeSpan.FromTicks(ping) : null,
            ConsecutiveErrors = connectedAt != Never && duration >= stableAfter ? 0 : Volatile.Read(ref _consecutiveErrors),
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
            HandlerErrors = Volatile.Read(ref _observerErrors),
            BufferSize = bufferSize,
            TimeToFirstMessage = firstMessage == Never ? null : TimeSpan.FromTicks(firstMessage),
            AverageLatency = _handOvers.Average,
            LatencyP50 = _handOvers.Percentile(0.50),
            LatencyP95 = _handOvers.Percentile(0.95),
            LatencyP99 = _handOvers.Percentile(0.99),
            LastError = Volatile.Read(ref _lastError),
        };
    }

    private async Task<SendOutcome> MeasuredAsync(Task<SendOutcome> send)
    {
        var since = time.GetTimestamp();
        var error = default(KeyValuePair<string, object?>?);
        try
        {
            return await send.ConfigureAwait(false);
        }
        catch (Exception e)
        {
            error = e is TransportException known ? ErrorType(known.Code) : new("error.type", e.GetType().FullName);
            throw;
        }
        finally
        {
            var seconds = time.GetElapsedTime(since).TotalSeconds;
            Note(PerennialTelemetry.SendDuration.TryRecord(seconds, error is { } tag ? [Tag, tag] : [Tag]));
        }
    }

    private void Note(bool isRecorded)
    {
        if (!isRecorded)
        {
            ObserverThrew();
        }
    }

    private static KeyValuePair<string, object?> ErrorType(TransportErrorCode code) => new("error.type", code.ToString());

    private DateTimeOffset? Moment(long timestamp) => timestamp == Never ? null : time.GetUtcNow() - time.GetElapsedTime(timestamp);
}
