using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Perennial.Gateway.Upstream;

/// <summary>The parts of a request's URL, seen from the gateway's endpoint.</summary>
internal static class RequestedPath
{
    /// <summary>The name of the route value with the path below the gateway's prefix.</summary>
    public const string RouteValue = "perennialPath";

    /// <summary>The gateway's prefix, as the client sees it: with the forwarded prefix of a proxy and the path base of the
    /// application.</summary>
    public static string PrefixOf(HttpContext context)
    {
        var path = context.Request.Path.ToUriComponent();
        var below = Below(context);
        var prefix = new PathString(context.Request.Path.Value![..^below.Length].TrimEnd('/')).ToUriComponent();
        return path.Length == 0 ? Forwarded(context) + context.Request.PathBase.ToUriComponent()
            : Forwarded(context) + context.Request.PathBase.ToUriComponent() + prefix;
    }

    /// <summary>The path below the prefix, as the client wrote it: empty, or a slash and more.</summary>
    public static string Of(HttpContext context)
    {
        var below = Below(context);
        var raw = (context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "").Split('?', 2)[0];
        if (below.Length == 0)
        {
            return raw.EndsWith('/') && raw.Length > 1 ? "/" : "";
        }

        var segments = raw.Split('/');
        var count = below.Split('/').Length;
        // Dot segments are resolved in the parsed path only.
        return raw.StartsWith('/') && segments.Length > count && !segments.Any(IsDots)
            ? "/" + string.Join('/', segments[^count..])
            : new PathString("/" + below).ToUriComponent();
    }

    private static string Below(HttpContext context) => context.Request.RouteValues[RouteValue] as string ?? "";

    private static bool IsDots(string segment) =>
        segment.Length > 0 && segment.Replace("%2e", ".", StringComparison.OrdinalIgnoreCase) is "." or "..";

    // The header only changes the URL that the same client gets, so it is safe to believe it. Behind the middleware for forwarded headers
    // it is gone, and the path base has the prefix.
    private static string Forwarded(HttpContext context)
    {
        var prefix = context.Request.Headers["X-Forwarded-Prefix"].ToString().TrimEnd('/');
        return prefix.StartsWith('/') && !prefix.StartsWith("//", StringComparison.Ordinal)
            && prefix.All(static c => char.IsAsciiLetterOrDigit(c) || "/-._~%!$&'()*+;=:@".Contains(c, StringComparison.Ordinal))
            ? prefix
            : "";
    }
}
