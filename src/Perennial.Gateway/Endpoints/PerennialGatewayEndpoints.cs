using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Requests;
using Perennial.Gateway.Exchanges;
using Perennial.Gateway.Upstream;

namespace Perennial.Gateway;

/// <summary>Puts a gateway in front of a model provider.</summary>
public static class PerennialGatewayEndpoints
{
    /// <summary>
    /// Forwards every request below a prefix to an upstream, such as a model provider. What is no stream passes through unchanged, in both
    /// directions and without being held in memory. A stream becomes a run in its own format: the upstream is asked once, and readers may
    /// leave and
    /// resume.
    /// </summary>
    /// <param name="endpoints">The application. It must have called <c>AddPerennialGateway</c>.</param>
    /// <param name="prefix">The path prefix, for example <c>/openai</c>, or an empty text for all paths.</param>
    /// <param name="baseAddress">
    /// The base URL of the upstream, for example <c>https://api.openai.com</c>. The path below the prefix is added to its path. A user and
    /// a
    /// password in it are sent as Basic credentials if the client sends no <c>Authorization</c>.
    /// </param>
    /// <param name="configure">Changes the options.</param>
    /// <returns>A builder for conventions of all endpoints, such as authorization.</returns>
    /// <remarks>
    /// <para>
    /// The client that sent the request reads the run as its answer, in the provider's format. <c>Content-Location</c> names the run: a
    /// GET there
    /// continues after the event in <c>Last-Event-ID</c>, or begins with the first event; a DELETE stops it. Clients without the id of a
    /// run cannot
    /// find it.
    /// </para>
    /// <para>
    /// A response that ends without the end of its format, breaks off, or contains an error of its format ends the run as failed. Then the
    /// gateway
    /// never ends the response normally: it sends an error of the format and aborts the connection.
    /// </para>
    /// <para>
    /// A request without an answer gets 502, and 504 after <see cref="GatewayOptions.FirstByteTimeout"/>, with problem details (RFC 9457)
    /// that also
    /// have the <c>error</c> object of model providers.
    /// </para>
    /// </remarks>
    /// <exception cref="ArgumentException">The address or an option is invalid; the message says what is accepted.</exception>
    /// <exception cref="InvalidOperationException"><c>AddPerennialGateway</c> was not called.</exception>
    public static IEndpointConventionBuilder MapPerennialGateway(
        this IEndpointRouteBuilder endpoints,
        [StringSyntax("Route")] string prefix,
        string baseAddress,
        Action<GatewayOptions>? configure = null)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        ArgumentNullException.ThrowIfNull(baseAddress);
        var server = endpoints.ServiceProvider.GetService<GatewayServer>()
            ?? throw new InvalidOperationException("MapPerennialGateway needs builder.Services.AddPerennialGateway().");
        var options = new GatewayOptions();
        configure?.Invoke(options);
        var upstream = endpoints.ServiceProvider.GetRequiredService<UpstreamSet>().Add(baseAddress, options);
        var group = endpoints.MapGroup(prefix);
        group.WithMetadata(PlatformPolicies.Exemptions).DisableCookieRedirect();
        PerennialEndpoints.MapRuns(group.MapGroup(RunUrl.Path), (context, log) => server.ReadAsync(context, log, upstream));
        group.Map($"/{{**{RequestedPath.RouteValue}}}", context => server.AnswerAsync(context, upstream));
        return group;
    }
}
