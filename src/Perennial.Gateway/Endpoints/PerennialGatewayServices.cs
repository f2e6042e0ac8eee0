using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.Gateway.Answers;
using Perennial.Gateway.Exchanges;
using Perennial.Gateway.Upstream;
using Yarp.ReverseProxy.Forwarder;

namespace Perennial.Gateway;

/// <summary>Registers the gateway.</summary>
public static class PerennialGatewayServices
{
    /// <summary>
    /// Adds the services behind <c>MapPerennialGateway</c>, and the server for its runs (<c>AddPerennialServer</c>). May be called more
    /// than once.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="configure">Changes the options of the server, such as its limits. They are validated when the host starts.</param>
    /// <returns>A builder, to configure the server further, for example its store.</returns>
    public static PerennialServerBuilder AddPerennialGateway(
        this IServiceCollection services, Action<PerennialServerOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(services);
        services.AddHttpForwarder();
        // The forwarder logs the URL of each request, whose query may have a key.
        services.Configure<LoggerFilterOptions>(static filter => filter.AddFilter(typeof(IHttpForwarder).Namespace, LogLevel.Warning));
        services.TryAddSingleton<UpstreamSet>();
        services.TryAddSingleton<RunReading>();
        services.TryAddSingleton<RunNames>();
        services.TryAddSingleton<NativeResponses>();
        services.TryAddSingleton<NativeStreams>();
        services.TryAddSingleton<NativeRequests>();
        services.TryAddSingleton<PaidOnce>();
        services.TryAddSingleton<SdkRetries>();
        services.TryAddSingleton<RetryableRequests>();
        services.TryAddSingleton<GatewayServer>();
        services.Configure<PerennialServerOptions>(static server =>
        {
            foreach (var dialect in PlainDialect.All)
            {
                if (!server.Dialects.Contains(dialect))
                {
                    server.Dialects.Add(dialect);
                }
            }
        });
        return services.AddPerennialServer(configure);
    }
}
