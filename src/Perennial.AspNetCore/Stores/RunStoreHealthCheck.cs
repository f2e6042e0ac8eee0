using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Perennial.AspNetCore.Stores;

/// <summary>The health of the store of runs, as a health check.</summary>
internal sealed class RunStoreHealthCheck(RunStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var result = await store.CheckHealthAsync(cancellationToken);
        return result.Status == HealthStatus.Unhealthy
            ? new HealthCheckResult(context.Registration.FailureStatus, result.Description, result.Exception, result.Data)
            : result;
    }
}
