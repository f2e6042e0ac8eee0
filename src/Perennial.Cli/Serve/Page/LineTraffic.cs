using System.Collections.Frozen;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Perennial.Wire;

namespace Perennial.Cli.Serve.Page;

/// <summary>
/// Handles requests that arrive over a line. There the page is of another origin, because the port differs, so its origin is allowed by
/// CORS. Behind the buffering proxy responses are held back.
/// </summary>
internal sealed class LineTraffic
{
    private const string ClientHeaders = "perennial-protocol, last-event-id, idempotency-key, content-type, cache-control";
    private const string ServerHeaders =
        $"{WireHeaders.Protocol}, {WireHeaders.Heartbeat}, {WireHeaders.Cursor}, {WireHeaders.Status}, Content-Location, Retry-After";

    private FrozenSet<string> _pages = FrozenSet<string>.Empty;
    private int _plainPort;
    private int _bufferedPort;

    /// <summary>Sets the allowed origins. Called when the ports are known.</summary>
    public void Begin(int pagePort, int plainPort, int bufferedPort)
    {
        _pages = new[] { $"http://127.0.0.1:{pagePort}", $"http://localhost:{pagePort}", $"http://[::1]:{pagePort}" }.ToFrozenSet(
            StringComparer.OrdinalIgnoreCase);
        _plainPort = plainPort;
        _bufferedPort = bufferedPort;
    }

    public Task PassAsync(HttpContext context, RequestDelegate next)
    {
        var port = context.Connection.LocalPort;
        if (port != _plainPort && port != _bufferedPort)
        {
            return next(context);
        }

        var origin = context.Request.Headers.Origin.ToString();
        if (!_pages.Contains(origin) || !context.Request.Path.StartsWithSegments("/streams", StringComparison.Ordinal))
        {
            return TypedResults.Problem("A line serves only /streams and only the demo page.", statusCode: StatusCodes.Status403Forbidden)
                .ExecuteAsync(context);
        }

        LetIn(context, origin);
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        }

        return port == _bufferedPort ? PassBufferedAsync(context, next) : next(context);
    }

    private static void LetIn(HttpContext context, string origin)
    {
        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowMethods = "GET, HEAD, POST, DELETE";
        headers.AccessControlAllowHeaders = ClientHeaders;
        headers.AccessControlExposeHeaders = ServerHeaders;
        headers.AccessControlMaxAge = "600";
        headers.Append("Vary", "Origin");
        // Later checks of the origin take the page for one of this server.
        context.Request.Host = new HostString(new Uri(origin).Authority);
    }

    private static async Task PassBufferedAsync(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Headers.Upgrade.Count > 0)
        {
            await TypedResults.Problem("This proxy does not support WebSockets.", statusCode: StatusCodes.Status400BadRequest)
                .ExecuteAsync(context);
            return;
        }

        var body = new BufferingBody(context.Features.GetRequiredFeature<IHttpResponseBodyFeature>());
        context.Features.Set<IHttpResponseBodyFeature>(body);
        await next(context);
        if (!context.RequestAborted.IsCancellationRequested)
        {
            await body.ReleaseAsync(context.RequestAborted);
        }
    }
}
