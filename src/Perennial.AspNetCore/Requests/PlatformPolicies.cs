using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;

namespace Perennial.AspNetCore.Requests;

/// <summary>Exempts responses with a run from output caching and request timeouts.</summary>
internal static class PlatformPolicies
{
    /// <summary>
    /// Metadata of endpoints that answer with runs. Output caching holds back the whole response, so it must be off before the endpoint is
    /// called.
    /// </summary>
    public static object[] Exemptions { get; } = [new OutputCacheAttribute { NoStore = true }, new DisableRequestTimeoutAttribute()];

    /// <summary>Exempts one response from the request timeout, even if the endpoint's return type does not show the run.</summary>
    public static void Exempt(HttpContext context) => context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
}
