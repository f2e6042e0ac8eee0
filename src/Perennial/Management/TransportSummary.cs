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
