using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.AspNetCore.OutputCaching;

namespace Perennial.AspNetCore.Requests;

/// <summary>Takes answers with a run out of what the platform does to short answers: output caching, and request timeouts.</summary>
internal static class PlatformPolicies
{
    /// <summary>Metadata of endpoints that answer with runs. Output caching holds back the whole answer, so it must know before the endpoint is called.</summary>
    public static object[] Exemptions { get; } = [new OutputCacheAttribute { NoStore = true }, new DisableRequestTimeoutAttribute()];

    /// <summary>Takes one answer out of the request timeout, also where the endpoint does not say that it answers with a run.</summary>
    public static void Exempt(HttpContext context) => context.Features.Get<IHttpRequestTimeoutFeature>()?.DisableTimeout();
}
