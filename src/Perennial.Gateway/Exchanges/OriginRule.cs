using Microsoft.AspNetCore.Http;

namespace Perennial.Gateway.Exchanges;

/// <summary>Admits the pages of the gateway's own origin and of allowed origins, and answers the CORS requests of the latter (Fetch
/// standard, section 3.3).</summary>
internal static class OriginRule
{
    private static readonly string PreflightSeconds = "600";

    /// <summary>Admits a request, or answers it. Returns false if it is answered.</summary>
    public static async ValueTask<bool> AdmitAsync(HttpContext context, GatewayOptions options)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0 || IsOwn(context, origin))
        {
            return true;
        }

        var isListed = options.AllowedOrigins.Contains(origin, StringComparer.OrdinalIgnoreCase);
        if (!isListed && !options.AllowedOrigins.Contains(GatewayOptions.AnyOrigin))
        {
            await GatewayError.SendAsync(
                context,
                StatusCodes.Status403Forbidden,
                "origin_not_allowed",
                "Pages of other origins may not use this gateway. Allow the origin in AllowedOrigins.");
            return false;
        }

        context.Response.OnStarting(() =>
        {
            Allow(context.Response, origin, isListed);
            return Task.CompletedTask;
        });
        var asked = context.Request.Headers.AccessControlRequestMethod;
        if (!HttpMethods.IsOptions(context.Request.Method) || asked.Count == 0)
        {
            return true;
        }

        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.AccessControlAllowMethods = asked;
        context.Response.Headers.AccessControlAllowHeaders = context.Request.Headers.AccessControlRequestHeaders;
        context.Response.Headers.AccessControlMaxAge = PreflightSeconds;
        return false;
    }

    // Replaces what the upstream says of its own origins. With credentials, no wildcard is allowed.
    private static void Allow(HttpResponse response, string origin, bool isListed)
    {
        var headers = response.Headers;
        headers.AccessControlExposeHeaders =
            string.Join(", ", headers.Keys.Where(static name => !name.StartsWith("Access-Control-", StringComparison.OrdinalIgnoreCase)));
        headers.AccessControlAllowOrigin = origin;
        headers.Append("Vary", "Origin");
        if (isListed)
        {
            headers.AccessControlAllowCredentials = "true";
        }
        else
        {
            headers.Remove("Access-Control-Allow-Credentials");
        }
    }

    // The scheme is not compared: a proxy in front may end TLS.
    private static bool IsOwn(HttpContext context, string origin)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var page))
        {
            return false;
        }

        var forwarded = context.Request.Headers["X-Forwarded-Host"].ToString();
        return IsSame(page, context.Request.Host) || (forwarded.Length > 0 && IsSame(page, new HostString(forwarded.Split(',')[0].Trim())));
    }

    private static bool IsSame(Uri page, HostString host) =>
        string.Equals(page.Host, host.Host, StringComparison.OrdinalIgnoreCase) && (host.Port ?? page.Port) == page.Port;
}
