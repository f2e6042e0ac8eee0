using Microsoft.AspNetCore.Http;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Selects the parts of a client's request that are forwarded upstream.</summary>
internal static class ForwardedRequest
{
    /// <summary>
    /// Headers that are not forwarded: those of one connection (RFC 9110, 7.6.1), those that the transport sets, and those for this server.
    /// </summary>
    private static readonly HashSet<string> NotForwarded = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Expect",
        "Host", "Accept", "Accept-Encoding", "Content-Length", "Content-Type", WireHeaders.LastEventId, WireHeaders.Protocol, "Origin", "Referer",
    };

    public static async Task<RequestBody> ReadBodyAsync(HttpRequest request)
    {
        using var content = new MemoryStream();
        await request.Body.CopyToAsync(content, request.HttpContext.RequestAborted);
        return new RequestBody { Content = content.ToArray(), MediaType = request.ContentType ?? "application/octet-stream" };
    }

    public static IReadOnlyDictionary<string, string> Headers(IHeaderDictionary headers)
    {
        var alsoNotForwarded = headers.Connection.SelectMany(value => value?.Split(',', StringSplitOptions.TrimEntries) ?? []).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return headers
            .Where(header => !NotForwarded.Contains(header.Key) && !alsoNotForwarded.Contains(header.Key) && !header.Key.StartsWith(':'))
            .ToDictionary(header => header.Key, header => header.Value.ToString(), StringComparer.OrdinalIgnoreCase);
    }
}
