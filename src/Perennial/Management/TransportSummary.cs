namespace Perennial.Management;

/// <summary>A summary of a manager's transports, computed from one snapshot of each.</summary>
public sealed record TransportSummary
{
    /// <summary>Gets the largest number of transports: <see cref="TransportManagerOptions.MaxTransports"/>.</summary>
    public required int Capacity { get; init; }

    /// <summary>Gets the number of transports in the pool.</summary>
    public required int Live { get; init; }

    /// <summary>Gets the number of transports ever added to the pool, created or registered.</summary>
    public required long Created { get; init; }

    /// <summary>Gets the number of transports that left the pool: <see cref="Created"/> minus <see cref="Live"/>.</summary>
    public long Removed => Created - Live;

    /// <summary>Gets <see cref="Live"/> in percent of <see cref="Capacity"/>.</summary>
    public double Utilization => 100.0 * Live / Capacity;

    /// <summary>Gets the number of transports of each kind, without kinds that have none.</summary>
    public required IReadOnlyDictionary<string, int> ByKind { get; init; }

    /// <summary>Gets the number of transports in each state, without states that have none.</summary>
    public required IReadOnlyDictionary<TransportState, int> ByState { get; init; }

    /// <summary>Gets the totals of the transports in the pool.</summary>
    public required TransportTotals Totals { get; init; }

    internal static TransportSummary Of(IReadOnlyCollection<TransportMetrics> transports, long created, int capacity) => new()
    {
        Capacity = capacity,
        Live = transports.Count,
        Created = created,
        ByKind = transports.CountBy(static metrics => metrics.Kind, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal),
        ByState = transports.CountBy(static metrics => metrics.State).ToDictionary(),
        Totals = transports.Aggregate(default(TransportTotals), static (sum, metrics) => sum.With(metrics)),
    };
}

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
