using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>A response of the upstream that is one JSON document instead of a stream. It is passed on unchanged. Immutable.</summary>
internal sealed class UpstreamDocument : IResult
{
    /// <summary>Headers that are not passed on: those of one connection (RFC 9110, 7.6.1), and those that this server sets.</summary>
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Date", "Alt-Svc",
    };

    private readonly int _status;
    private readonly KeyValuePair<string, string[]>[] _headers;
    private readonly byte[] _body;

    private UpstreamDocument(int status, KeyValuePair<string, string[]>[] headers, byte[] body)
    {
        _status = status;
        _headers = headers;
        _body = body;
    }

    public static bool IsOne(HttpResponseMessage response) =>
        response.IsSuccessStatusCode && string.Equals(response.Content.Headers.ContentType?.MediaType, "application/json", StringComparison.OrdinalIgnoreCase);

    /// <exception cref="HttpRequestException">The response broke off, or is larger than <paramref name="maxBytes"/>.</exception>
    public static async Task<UpstreamDocument> ReadAsync(HttpResponseMessage response, int maxBytes, CancellationToken cancellationToken)
    {
        await response.Content.LoadIntoBufferAsync(maxBytes, cancellationToken);
        var headers = response.Headers.Concat(response.Content.Headers)
            .Where(static header => !Kept.Contains(header.Key)).Select(static header => KeyValuePair.Create(header.Key, header.Value.ToArray()));
        return new UpstreamDocument((int)response.StatusCode, [.. headers], await response.Content.ReadAsByteArrayAsync(cancellationToken));
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        httpContext.Response.StatusCode = _status;
        foreach (var (name, values) in _headers)
        {
            httpContext.Response.Headers[name] = values;
        }

        httpContext.Response.ContentLength = _body.Length;
        await httpContext.Response.Body.WriteAsync(_body, httpContext.RequestAborted);
    }
}
