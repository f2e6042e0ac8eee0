using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Perennial.Gateway.Upstream;

/// <summary>Checks whether the upstreams answer at all.</summary>
internal sealed class UpstreamHealthCheck(UpstreamSet upstreams) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var silent = new List<string>();
        foreach (var upstream in upstreams.All)
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Head, upstream.Address.UrlOf("", ""));
                using var response = await upstream.Client.SendAsync(request, cancellationToken);
            }
            catch (Exception e) when (e is HttpRequestException or IOException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
            {
                silent.Add(upstream.Address.Name);
            }
        }

        return silent.Count == 0
            ? HealthCheckResult.Healthy("Every upstream answers.")
            : new HealthCheckResult(context.Registration.FailureStatus, $"No answer from {string.Join(", ", silent)}.");
    }
}
