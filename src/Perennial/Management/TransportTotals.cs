namespace Perennial.Management;

/// <summary>Totals over transports. Each member is the sum of the member with the same name in <see cref="TransportMetrics"/>.</summary>
public readonly record struct TransportTotals
{
    /// <summary>Gets the number of messages put into buffers.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Gets the number of messages sent.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Gets the number of bytes read from connections.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Gets the number of payload bytes in sent messages.</summary>
    public long BytesSent { get; init; }

    /// <summary>Gets the number of errors reported.</summary>
    public long Errors { get; init; }

    /// <summary>Gets the number of reconnect attempts.</summary>
    public long ReconnectAttempts { get; init; }

    /// <summary>Gets the number of connections that resumed after an id.</summary>
    public long Resumes { get; init; }

    /// <summary>Gets the number of gaps detected.</summary>
    public long Gaps { get; init; }

    /// <summary>Gets the number of messages dropped because a buffer was full.</summary>
    public long Dropped { get; init; }

    /// <summary>Gets the number of exceptions thrown by event handlers.</summary>
    public long HandlerErrors { get; init; }

    /// <summary>Gets the number of messages waiting for their readers.</summary>
    public long BufferSize { get; init; }

    internal TransportTotals With(TransportMetrics metrics) => new()
    {
        MessagesReceived = MessagesReceived + metrics.MessagesReceived,
        MessagesSent = MessagesSent + metrics.MessagesSent,
        BytesReceived = BytesReceived + metrics.BytesReceived,
        BytesSent = BytesSent + metrics.BytesSent,
        Errors = Errors + metrics.Errors,
        ReconnectAttempts = ReconnectAttempts + metrics.ReconnectAttempts,
        Resumes = Resumes + metrics.Resumes,
        Gaps = Gaps + metrics.Gaps,
        Dropped = Dropped + metrics.Dropped,
        HandlerErrors = HandlerErrors + metrics.HandlerErrors,
        BufferSize = BufferSize + metrics.BufferSize,
    };
}
