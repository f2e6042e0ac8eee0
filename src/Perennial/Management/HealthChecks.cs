using Microsoft.Extensions.Logging;

namespace Perennial.Management;

/// <summary>Checks the health of a manager's transports and announces it. Thread safe.</summary>
/// <param name="services">The clock and the circuit breakers.</param>
/// <param name="events">Announces what was found.</param>
/// <param name="logger">Logs transports that became unhealthy.</param>
internal sealed class HealthChecks(TransportServices services, ManagerEvents events, ILogger logger)
{
    /// <summary>Returns the health of one transport, and announces nothing.</summary>
    public TransportHealth Of(Transport transport) =>
        TransportHealth.Of(transport, services.Breakers?.StateOf(transport.Endpoint) ?? BreakerState.Closed);

    /// <summary>Checks all transports, and announces each that became unhealthy and the result.</summary>
    public ManagerHealth Check(IReadOnlyList<PooledTransport> transports)
    {
        var found = new List<TransportHealth>(transports.Count);
        var newlyUnhealthy = new List<TransportHealth>();
        foreach (var pooled in transports)
        {
            var health = Of(pooled.Transport);
            found.Add(health);
            if (pooled.Found(health.Status))
            {
                newlyUnhealthy.Add(health);
            }
        }

        foreach (var health in newlyUnhealthy)
        {
            ManagerLog.Unhealthy(logger, health.Kind, health.Id, health.Reason);
            events.RaiseUnhealthy(health);
        }

        var broken = services.Breakers?.Broken ?? new Dictionary<string, BreakerState>(StringComparer.Ordinal);
        var all = ManagerHealth.Of(found, broken, services.Time.GetUtcNow());
        events.RaiseHealthChecked(all);
        return all;
    }
}
