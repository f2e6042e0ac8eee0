using System.Diagnostics.CodeAnalysis;

namespace Perennial.Management;

/// <summary>A transport in the pool, with what the manager remembers of it.</summary>
internal sealed class PooledTransport(Transport transport, DateTimeOffset addedAt)
{
    private bool _isUnhealthy;

    public Transport Transport => transport;

    /// <summary>Remembers what a check found.</summary>
    /// <returns>Whether the transport is unhealthy and was not before.</returns>
    public bool Found(HealthStatus status)
    {
        var isUnhealthy = status == HealthStatus.Unhealthy;
        return !Interlocked.Exchange(ref _isUnhealthy, isUnhealthy) && isUnhealthy;
    }

    /// <summary>
    /// Whether a sweep may take it, and why. One that is being read may not, nor one that holds unread messages: they would be lost.
    /// If room is needed, an ended one with unread messages may be taken once it has been idle for long enough.
    /// One that failed may be connected again, with fresh credentials for one, and so is given the time of an idle one unless room is
    /// needed.
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
