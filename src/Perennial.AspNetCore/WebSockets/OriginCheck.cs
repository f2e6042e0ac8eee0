using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Tells whether the page that opens a WebSocket may do so (RFC 6455, section 10.2). Pure.</summary>
internal static class OriginCheck
{
    /// <summary>Whether the request comes from no page, from one of the same host, or from one that is allowed.</summary>
    public static bool Allows(HttpRequest request, IList<string> allowed)
    {
        var origin = request.Headers.Origin;
        if (StringValues.IsNullOrEmpty(origin) || allowed.Contains(WebSocketServerOptions.AnyOrigin))
        {
            return true;
        }

        return origin is [{ } one] && (allowed.Contains(one, StringComparer.OrdinalIgnoreCase) || IsOfHost(one, request.Host));
    }

    // The scheme is not compared: behind a proxy that speaks TLS for the server, a page of its own has https and the request http.
    private static bool IsOfHost(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase)
        && PortOf(uri.Port) == PortOf(host.Port);

    private static int? PortOf(int? port) => port is 80 or 443 ? null : port;
}
