using System.Diagnostics;
using System.Net;

namespace Perennial.Gateway.Upstream;

/// <summary>Creates the HTTP client for one upstream: it changes nothing in requests and responses.</summary>
internal static class UpstreamClient
{
    public static HttpMessageInvoker Create(GatewayOptions options) => new(new SocketsHttpHandler
    {
        ActivityHeadersPropagator = DistributedContextPropagator.CreateNoOutputPropagator(),      // the client's trace headers pass
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        ConnectTimeout = options.ConnectTimeout,
        EnableMultipleHttp2Connections = true,
        KeepAlivePingDelay = TimeSpan.FromSeconds(15),
        KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
        PooledConnectionLifetime = TimeSpan.FromMinutes(15),
        UseCookies = false,
    });
}
