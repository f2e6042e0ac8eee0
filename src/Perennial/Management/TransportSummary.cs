namespace Perennial.Management;

/// <summary>What a manager's transports did and are doing, summed up from one snapshot of each.</summary>
public sealed record TransportSummary
{
    /// <summary>How many transports there may be: <see cref="TransportManagerOptions.MaxTransports"/>.</summary>
    public required int Capacity { get; init; }

    /// <summary>Transports in the pool.</summary>
    public required int Live { get; init; }

    /// <summary>Transports that ever came into the pool, created or registered.</summary>
    public required long Created { get; init; }

    /// <summary>Transports that left it. <see cref="Created"/> is always this and <see cref="Live"/>.</summary>
    public long Removed => Created - Live;

    /// <summary><see cref="Live"/> in percent of <see cref="Capacity"/>.</summary>
    public double Utilization => 100.0 * Live / Capacity;

    /// <summary>How many are of each kind; kinds without any are left out.</summary>
    public required IReadOnlyDictionary<string, int> ByKind { get; init; }

    /// <summary>How many are in each state; states without any are left out.</summary>
    public required IReadOnlyDictionary<TransportState, int> ByState { get; init; }

    /// <summary>The sums of what the transports in the pool counted.</summary>
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

/// <summary>Sums over transports; each member is the sum of the one of that name in <see cref="TransportMetrics"/>.</summary>
public readonly record struct TransportTotals
{
    /// <summary>Messages handed to buffers.</summary>
    public long MessagesReceived { get; init; }

    /// <summary>Messages sent.</summary>
    public long MessagesSent { get; init; }

    /// <summary>Bytes read from connections.</summary>
    public long BytesReceived { get; init; }

    /// <summary>Payload bytes of the messages sent.</summary>
    public long BytesSent { get; init; }

    /// <summary>Errors reported.</summary>
    public long Errors { get; init; }

    /// <summary>Reconnect attempts made.</summary>
    public long ReconnectAttempts { get; init; }

    /// <summary>Connections that went on from a resume point.</summary>
    public long Resumes { get; init; }

    /// <summary>Gaps detected.</summary>
    public long Gaps { get; init; }

    /// <summary>Messages dropped because a buffer was full.</summary>
    public long Dropped { get; init; }

    /// <summary>Exceptions thrown by event handlers.</summary>
    public long HandlerErrors { get; init; }

    /// <summary>Messages waiting for their readers.</summary>
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
