using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>Reports the health of the host's transports. The data lists each unhealthy transport by its name, and no URL.</summary>
internal sealed class PerennialHealthCheck(TransportManager manager, NamedTransports names) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var health = manager.CheckHealth();
        var data = new Dictionary<string, object>(StringComparer.Ordinal) { ["transports"] = health.Transports.Count };
        foreach (var transport in health.Transports.Where(static transport => transport.Status != TransportHealthStatus.Healthy))
        {
            data[names.NameOf(transport.Id) ?? transport.Id] =
                $"{transport.Kind} {transport.State} since {transport.Since:u}: {transport.Reason}";
        }

        foreach (var (origin, state) in health.BrokenOrigins)
        {
            data[origin] = $"circuit breaker {state}";
        }

        var status = health.Status switch
        {
            TransportHealthStatus.Healthy => HealthStatus.Healthy,
            TransportHealthStatus.Degraded => HealthStatus.Degraded,
            _ => context.Registration.FailureStatus,
        };
        return Task.FromResult(new HealthCheckResult(status, health.Reason, exception: null, data));
    }
}
