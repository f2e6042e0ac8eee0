using System.Diagnostics.CodeAnalysis;

namespace Perennial.Management;

/// <summary>A transport in the pool, with the manager's data about it.</summary>
internal sealed class PooledTransport(Transport transport, DateTimeOffset addedAt)
{
    private bool _isUnhealthy;

    public Transport Transport => transport;

    /// <summary>Stores the result of a health check.</summary>
    /// <returns>True if the transport is unhealthy now and was not at the previous check.</returns>
    public bool Found(TransportHealthStatus status)
    {
        var isUnhealthy = status == TransportHealthStatus.Unhealthy;
        return !Interlocked.Exchange(ref _isUnhealthy, isUnhealthy) && isUnhealthy;
    }

    /// <summary>
    /// Whether a sweep may remove the transport, and for which reason. A transport that is being read stays, and so does one with unread
    /// messages, which would be lost. If room is needed, an ended transport with unread messages may be removed after it has been idle for
    /// the given time. A failed transport may be connected again, for instance with new credentials, so it stays as long as an idle one
    /// unless room is needed.
    /// </summary>
    public bool MayBeSwept(DateTimeOffset now, TimeSpan maxIdleTime, bool isRoomNeeded, [NotNullWhen(true)] out RemovalReason? reason)
    {
        reason = null;
        if (transport.IsBeingRead)
        {
            return false;
        }

        var metrics = transport.GetMetrics();
        var mayHaveUnread = isRoomNeeded && (metrics.State is TransportState.Closed or TransportState.Failed);
        if (metrics.BufferSize > 0 && !mayHaveUnread)
        {
            return false;
        }

        var hasEnded = metrics.State == TransportState.Closed || (isRoomNeeded && metrics.State == TransportState.Failed);
        if (hasEnded && metrics.BufferSize == 0)
        {
            reason = RemovalReason.Ended;
        }
        else if (maxIdleTime != Timeout.InfiniteTimeSpan && now - (metrics.LastActivityAt > addedAt ? metrics.LastActivityAt.Value : addedAt) >= maxIdleTime)
        {
            reason = RemovalReason.Idle;
        }

        return reason is not null;
    }
}
