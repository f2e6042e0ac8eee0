using Perennial.Engine;

namespace Perennial.Management;

/// <summary>Specifies the health of a transport or of a manager, from best to worst.</summary>
public enum TransportHealthStatus
{
    /// <summary>Everything works.</summary>
    Healthy,

    /// <summary>It works or will work again, with limitations.</summary>
    Degraded,

    /// <summary>It does not work.</summary>
    Unhealthy,
}

/// <summary>The health of one transport: its status, the reason, and the values behind them.</summary>
/// <remarks>
/// A connected transport is degraded while it is paused, while its buffer is at or above the high-water mark, and when the server has sent
/// no byte for half of the time after which the connection counts as lost (<see cref="TransportOptions.IdleTimeout"/>, or the server's
/// announced interval). If that time is infinite, silence is ignored.
/// </remarks>
public sealed record TransportHealth
{
    /// <summary>The number of consecutive failures from which a reconnecting transport is unhealthy.</summary>
    internal const int ManyErrors = 3;

    /// <summary>Gets the <see cref="Transport.Id"/>.</summary>
    public required string Id { get; init; }

    /// <summary>Gets the <see cref="Transport.Kind"/>.</summary>
    public required string Kind { get; init; }

    /// <summary>Gets the health status.</summary>
    public required TransportHealthStatus Status { get; init; }

    /// <summary>Gets the reason for the status, in one sentence without secrets.</summary>
    public required string Reason { get; init; }

    /// <summary>Gets the time since which <see cref="Reason"/> applies, or <see langword="null"/> for a healthy transport.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>Gets the <see cref="Transport.State"/>.</summary>
    public required TransportState State { get; init; }

    /// <summary>Gets when a byte last arrived or a message was last sent.</summary>
    public DateTimeOffset? LastActivityAt { get; init; }

    /// <summary>Gets when the peer last sent something other than a message: a comment, a pong.</summary>
    public DateTimeOffset? LastHeartbeatAt { get; init; }

    /// <summary>Gets the number of consecutive failed attempts.</summary>
    public int ConsecutiveErrors { get; init; }

    /// <summary>Gets how long the present connection has been open.</summary>
    public TimeSpan Uptime { get; init; }

    /// <summary>Gets the state of the circuit breaker of the transport's origin.</summary>
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

    private static (TransportHealthStatus Status, string Reason, DateTimeOffset? Since) Judge(
        TransportMetrics metrics, FlowStatus flow, BreakerState breaker) => metrics.State switch
    {
        TransportState.Failed => (TransportHealthStatus.Unhealthy, $"Failed: {metrics.LastError?.Code}.", flow.StateSince),
        TransportState.Closed => (TransportHealthStatus.Healthy, "Closed.", null),
        TransportState.Idle => (TransportHealthStatus.Healthy, "Not started.", null),
        TransportState.Connected => JudgeFlow(flow, metrics.BufferSize),
        _ when breaker != BreakerState.Closed =>
            (TransportHealthStatus.Unhealthy, $"The origin failed repeatedly; the circuit breaker is {breaker}.", flow.StateSince),
        _ when metrics.ConsecutiveErrors >= ManyErrors =>
            (TransportHealthStatus.Unhealthy,
                $"{metrics.ConsecutiveErrors} consecutive attempts failed, the last with {metrics.LastError?.Code}.",
                flow.StateSince),
        TransportState.Connecting when metrics.ConsecutiveErrors == 0 =>
            (TransportHealthStatus.Healthy, "Connecting for the first time.", null),
        _ => (TransportHealthStatus.Degraded, $"Reconnecting after {metrics.LastError?.Code}.", flow.StateSince),
    };

    /// <summary>Judges a transport with an open connection, whose messages may still be held back.</summary>
    private static (TransportHealthStatus Status, string Reason, DateTimeOffset? Since) JudgeFlow(FlowStatus flow, int waiting) =>
        flow switch
    {
        { PausedSince: { } since } => (TransportHealthStatus.Degraded, "Paused; no messages are delivered until Resume is called.", since),
        { FullSince: { } since, IsBeingRead: false } =>
            (TransportHealthStatus.Degraded, $"The messages have no reader: {waiting} are waiting.", since),
        { FullSince: { } since } => (TransportHealthStatus.Degraded, $"The reader is too slow: {waiting} messages are waiting.", since),
        _ when flow.IdleLimit != Timeout.InfiniteTimeSpan && flow.Silence >= flow.IdleLimit / 2 =>
            (TransportHealthStatus.Degraded,
                $"The server sends nothing, not even a heartbeat; the connection counts as lost after {flow.IdleLimit} of silence.",
                flow.SilentSince),
        _ => (TransportHealthStatus.Healthy, "Connected.", null),
    };
}

/// <summary>The health of a manager and of each of its transports.</summary>
public sealed record ManagerHealth
{
    /// <summary>
    /// Gets the verdict: healthy if all transports are, unhealthy if at least half of them are, otherwise degraded. So one stream among
    /// many does not take the application out of service.
    /// </summary>
    public required TransportHealthStatus Status { get; init; }

    /// <summary>Gets the reason, in one sentence.</summary>
    public required string Reason { get; init; }

    /// <summary>Gets the health of each transport.</summary>
    public required IReadOnlyList<TransportHealth> Transports { get; init; }

    /// <summary>Gets the origins whose circuit breaker is not closed, with its state.</summary>
    public required IReadOnlyDictionary<string, BreakerState> BrokenOrigins { get; init; }

    /// <summary>Gets the time of the check.</summary>
    public required DateTimeOffset CheckedAt { get; init; }

    internal static ManagerHealth Of(
        IReadOnlyList<TransportHealth> transports, IReadOnlyDictionary<string, BreakerState> broken, DateTimeOffset checkedAt)
    {
        var unhealthy = transports.Count(static transport => transport.Status == TransportHealthStatus.Unhealthy);
        var degraded = transports.Count(static transport => transport.Status == TransportHealthStatus.Degraded);
        var status = unhealthy + degraded == 0 ? TransportHealthStatus.Healthy
            : 2 * unhealthy >= transports.Count ? TransportHealthStatus.Unhealthy
            : TransportHealthStatus.Degraded;
        var reason = status == TransportHealthStatus.Healthy
            ? $"All {transports.Count} transports are healthy."
            : $"Of {transports.Count} transports {unhealthy} are unhealthy and {degraded} degraded.";
        return new ManagerHealth
        {
            Status = status,
            Reason = reason,
            Transports = transports,
            BrokenOrigins = broken,
            CheckedAt = checkedAt,
        };
    }
}
