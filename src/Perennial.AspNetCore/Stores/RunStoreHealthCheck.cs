using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Perennial.AspNetCore.Stores;

/// <summary>Asks the store of runs for one that does not exist: it answers, or it cannot be used.</summary>
internal sealed class RunStoreHealthCheck(RunStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await store.FindAsync("health", cancellationToken);
            return HealthCheckResult.Healthy("Runs can be recorded and read.");
        }
        catch (RunStoreException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The store of runs cannot be reached.", e);
        }
    }
}
