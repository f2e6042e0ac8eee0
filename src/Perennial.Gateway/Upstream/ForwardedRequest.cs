using Microsoft.AspNetCore.Http;
using Perennial.Wire;

namespace Perennial.Gateway.Upstream;

/// <summary>Writes the head of a request to the upstream: the client's, without the fields of its connection.</summary>
internal static class ForwardedRequest
{
    /// <summary>Changes a request that YARP has filled from the client's.</summary>
    public static void Write(HttpContext context, HttpRequestMessage request, UpstreamAddress upstream, GatewayOptions options)
    {
        request.RequestUri = upstream.UrlOf(RequestedPath.Of(context), context.Request.QueryString.Value ?? "");
        request.Headers.Host = null;
        WatchedBody.Attach(context, request);
        foreach (var name in HopHeaders.NamedBy(context.Request.Headers.Connection))
        {
            Remove(request, name);
        }

        Remove(request, WireHeaders.Protocol);
        Remove(request, "X-Forwarded-Prefix");
        if (upstream.Credentials is { } credentials && !request.Headers.NonValidated.Contains("Authorization"))
        {
            request.Headers.TryAddWithoutValidation("Authorization", credentials);
        }

        foreach (var (name, value) in options.Headers)
        {
            Remove(request, name);
            if (!request.Headers.TryAddWithoutValidation(name, value))
            {
                request.Content?.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    /// <summary>Whether the request opens another protocol, such as a WebSocket, which passes through.</summary>
    public static bool IsUpgrade(HttpContext context) =>
        context.Request.Headers.ContainsKey("Upgrade") || HttpMethods.IsConnect(context.Request.Method);

    // A name that cannot be a header is not in the request.
    private static void Remove(HttpRequestMessage request, string name)
    {
        if (request.Headers.NonValidated.Contains(name))
        {
            request.Headers.Remove(name);
        }
        else if (request.Content?.Headers.NonValidated.Contains(name) == true)
        {
            request.Content.Headers.Remove(name);
        }
    }
}
