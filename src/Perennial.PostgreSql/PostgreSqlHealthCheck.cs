using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>Whether this node can record runs, and hears from the others at once.</summary>
internal sealed class PostgreSqlHealthCheck(PostgreSqlRunStore store) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await store.PingAsync(cancellationToken);
        }
        catch (RunStoreException e)
        {
            return new HealthCheckResult(context.Registration.FailureStatus, "The database of runs does not answer.", e);
        }

        return store.IsListening
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("The connection for wake-ups is lost: what other nodes record is seen within a second.");
    }
}
