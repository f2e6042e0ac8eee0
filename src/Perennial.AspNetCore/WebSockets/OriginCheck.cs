using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Checks whether a page may open a WebSocket (RFC 6455, section 10.2). Pure.</summary>
internal static class OriginCheck
{
    /// <summary>
    /// Returns true if the request does not come from a page, or comes from a page of the same host or of an allowed origin.
    /// </summary>
    public static bool Allows(HttpRequest request, IList<string> allowed)
    {
        var origin = request.Headers.Origin;
        if (StringValues.IsNullOrEmpty(origin) || allowed.Contains(WebSocketServerOptions.AnyOrigin))
        {
            return true;
        }

        return origin is [{ } one] && (allowed.Contains(one, StringComparer.OrdinalIgnoreCase) || IsOfHost(one, request.Host));
    }

    // The scheme is not compared: behind a proxy that terminates TLS, the server's own pages have https and the request has http.
    private static bool IsOfHost(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out var uri)
        && string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase)
        && PortOf(uri.Port) == PortOf(host.Port);

    private static int? PortOf(int? port) => port is 80 or 443 ? null : port;
}
