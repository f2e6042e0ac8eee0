using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Starts;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Upstream;
using Yarp.ReverseProxy.Forwarder;

namespace Perennial.Gateway.Exchanges;

/// <summary>A request that outlives its client: it is written to the upstream even if the client leaves.</summary>
internal static class KeyedRequest
{
    private const int InMemoryBytes = 64 * 1024;

    /// <summary>
    /// Reads the whole body, of which at most 64 KiB are kept in memory, and identifies the request. Null if the body is larger than
    /// allowed.
    /// </summary>
    /// <param name="context">The request. Its body is owned by the caller afterwards.</param>
    /// <param name="upstream">The upstream.</param>
    /// <param name="key">The key that the client sent.</param>
    /// <param name="maxBytes">The largest body.</param>
    public static async Task<StartKey?> ReadAsync(HttpContext context, UpstreamAddress upstream, string key, long maxBytes)
    {
        context.Request.Body = new FileBufferingReadStream(context.Request.Body, InMemoryBytes, bufferLimit: null, Path.GetTempPath());
        return await RequestFingerprint.ReadAsync(context.Request, maxBytes) is { } fingerprint
            ? new StartKey { Name = ScopeOf(context, upstream, key), Fingerprint = fingerprint, Request = Guid.NewGuid() }
            : null;
    }

    /// <summary>Creates the request to the upstream. It owns the body, and needs the client's request no more.</summary>
    public static async ValueTask<HttpRequestMessage> ToUpstreamAsync(HttpContext context, GatewayUpstream upstream)
    {
        var source = context.Request;
        var request = new HttpRequestMessage(new HttpMethod(source.Method), upstream.Address.Origin)
        {
            Version = System.Net.HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionOrLower,
        };
        if (source.Body.Length > 0 || source.ContentLength is not null)
        {
            request.Content = new StreamContent(source.Body);
        }

        await HttpTransformer.Default.TransformRequestAsync(context, request, upstream.Address.Origin, CancellationToken.None);
        ForwardedRequest.Write(context, request, upstream.Address, upstream.Options);
        return request;
    }

    /// <summary>Combines a key with its client. Only credentials tell clients apart: those of the server's own keys, and those of
    /// Google.</summary>
    public static string ScopeOf(HttpContext context, UpstreamAddress upstream, string key) => RequestCredentials.Scope(
        context, $"{key}\n{upstream.Origin}\n{context.Request.Headers["X-Goog-Api-Key"]}\n{context.Request.Query["key"]}");
}
