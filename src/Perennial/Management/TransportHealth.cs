using Perennial.Engine;

namespace Perennial.Management;

/// <summary>How well something is, from best to worst.</summary>
public enum HealthStatus
{
    /// <summary>All is as it should be.</summary>
    Healthy,

    /// <summary>It works, or will again, but not as it should.</summary>
    Degraded,

    /// <summary>It does not work.</summary>
    Unhealthy,
}

/// <summary>How well one transport is, why, and on what grounds.</summary>
/// <remarks>
/// A connected transport is degraded while it is paused, while its buffer is at the high-water mark or above, and while its server has
/// sent no byte for half of the silence after which the connection is given up (<see cref="TransportOptions.IdleTimeout"/>, or what the
/// server announces). Where that is infinite, silence is not judged.
/// </remarks>
public sealed record TransportHealth
{
    /// <summary>Consecutive failed tries from which a reconnecting transport counts as unhealthy.</summary>
    internal const int ManyErrors = 3;

    /// <summary><see cref="Transport.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary><see cref="Transport.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>The verdict.</summary>
    public required HealthStatus Status { get; init; }

    /// <summary>Why, in one sentence without secrets.</summary>
    public required string Reason { get; init; }

    /// <summary>Since when <see cref="Reason"/> holds; <see langword="null"/> for a healthy transport.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary><see cref="Transport.State"/>.</summary>
    public required TransportState State { get; init; }

    /// <summary>When a byte last arrived or a message last left.</summary>
    public DateTimeOffset? LastActivityAt { get; init; }

    /// <summary>When the peer last gave a sign of life that was no message.</summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>Tries that failed in a row.</summary>
    public int ConsecutiveErrors { get; init; }

    /// <summary>How long the present connection has stood.</summary>
    public TimeSpan Uptime { get; init; }

    /// <summary>The circuit breaker of the transport's origin.</summary>
    public BreakerState Breaker { get; init; }

    internal static TransportHealth Of(Transport transport, BreakerState breaker)
    {
        var metrics = transport.GetMetrics();
        var (status, reason, since) = Judge(metrics, transport.GetFlow(), breaker);
        return new TransportHealth
        {
            Id = metrics.Id,
            Kind = metrics.Kind,
            Status = status,
            Reason = reason,
            Since = since,
            State = metrics.State,
            LastActivityAt = metrics.LastActivityAt,
            LastHeartbeatAt = metrics.LastHeartbeatAt,
            ConsecutiveErrors = metrics.ConsecutiveErrors,
            Uptime = metrics.ConnectionDuration,
            Breaker = breaker,
        };
    }

    private static (HealthStatus Status, string Reason, DateTimeOffset? Since) Judge(TransportMetrics metrics, FlowStatus flow, BreakerState breaker) => metrics.State switch
    {
        TransportState.Failed => (HealthStatus.Unhealthy, $"Failed: {metrics.LastError?.Code}.", flow.StateSince),
        TransportState.Closed => (HealthStatus.Healthy, "Closed in good order.", null),
        TransportState.Idle => (HealthStatus.Healthy, "Not started.", null),
        TransportState.Connected => JudgeFlow(flow, metrics.BufferSize),
        _ when breaker != BreakerState.Closed =>
            (HealthStatus.Unhealthy, $"Its origin failed repeatedly; the circuit breaker is {breaker}.", flow.StateSince),
        _ when metrics.ConsecutiveErrors >= ManyErrors =>
            (HealthStatus.Unhealthy, $"{metrics.ConsecutiveErrors} tries failed in a row, the last by {metrics.LastError?.Code}.", flow.StateSince),
        TransportState.Connecting when metrics.ConsecutiveErrors == 0 => (HealthStatus.Healthy, "Connecting for the first time.", null),
        _ => (HealthStatus.Degraded, $"Reconnecting after {metrics.LastError?.Code}.", flow.StateSince),
    };

    /// <summary>A connection stands; what it brings may still be held up.</summary>
    private static (HealthStatus Status, string Reason, DateTimeOffset? Since) JudgeFlow(FlowStatus flow, int waiting) => flow switch
    {
        { PausedSince: { } since } => (HealthStatus.Degraded, "Paused; messages are held back until Resume is called.", since),
        { FullSince: { } since, IsBeingRead: false } => (HealthStatus.Degraded, $"No reader takes its messages: {waiting} wait.", since),
        { FullSince: { } since } => (HealthStatus.Degraded, $"Its reader does not keep up: {waiting} messages wait.", since),
        _ when flow.IdleLimit != Timeout.InfiniteTimeSpan && flow.Silence >= flow.IdleLimit / 2 =>
            (HealthStatus.Degraded, $"The server sends nothing, not even a heartbeat; the connection is given up after {flow.IdleLimit} of silence.", flow.SilentSince),
        _ => (HealthStatus.Healthy, "Connected.", null),
    };
}

/// <summary>How well a manager's transports are, all in all and one by one.</summary>
/// <param name="Status">
/// Healthy where all transports are, unhealthy where at least half of them are, else degraded; so a stream among many does not take
/// the application out of service.
/// </param>
/// <param name="Reason">Why, in one sentence.</param>
/// <param name="Transports">Each transport.</param>
/// <param name="BrokenOrigins">Origins whose circuit breaker is not closed, and how it stands.</param>
/// <param name="CheckedAt">When this was found.</param>
public sealed record ManagerHealth(
    HealthStatus Status,
    string Reason,
    IReadOnlyList<TransportHealth> Transports,
    IReadOnlyDictionary<string, BreakerState> BrokenOrigins,
    DateTimeOffset CheckedAt)
{
    internal static ManagerHealth Of(IReadOnlyList<TransportHealth> transports, IReadOnlyDictionary<string, BreakerState> broken, DateTimeOffset checkedAt)
    {
        var unhealthy = transports.Count(static transport => transport.Status == HealthStatus.Unhealthy);
        var degraded = transports.Count(static transport => transport.Status == HealthStatus.Degraded);
        var status = unhealthy + degraded == 0 ? HealthStatus.Healthy
            : 2 * unhealthy >= transports.Count ? HealthStatus.Unhealthy
            : HealthStatus.Degraded;
        var reason = status == HealthStatus.Healthy
            ? $"All {transports.Count} transports are healthy."
            : $"Of {transports.Count} transports {unhealthy} are unhealthy and {degraded} degraded.";
        return new ManagerHealth(status, reason, transports, broken, checkedAt);
    }
}
