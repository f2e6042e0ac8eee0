using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway;

/// <summary>Adds the health check of the gateway.</summary>
public static class PerennialGatewayHealth
{
    /// <summary>
    /// Adds a health check of the upstreams: each must answer a HEAD request for its base URL. Any status is an answer, because the check
    /// sends no
    /// credentials. It costs nothing at a provider.
    /// </summary>
    /// <param name="builder">The application's health checks.</param>
    /// <param name="name">The name of the check.</param>
    /// <param name="failureStatus">The status to report while an upstream does not answer. Default: unhealthy.</param>
    /// <param name="tags">Tags to choose checks by.</param>
    /// <returns>The same health checks.</returns>
    public static IHealthChecksBuilder AddPerennialUpstreams(
        this IHealthChecksBuilder builder,
        string name = "perennial_upstreams",
        HealthStatus? failureStatus = null,
        IEnumerable<string>? tags = null)
    {
        ArgumentNullException.ThrowIfNull(builder);
        return builder.AddCheck<UpstreamHealthCheck>(name, failureStatus, tags ?? []);
    }
}
