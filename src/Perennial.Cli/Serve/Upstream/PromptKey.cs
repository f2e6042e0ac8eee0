using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Perennial.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>By what a repeated request is known for one. Pure.</summary>
internal static class PromptKey
{
    private const string Name = "Idempotency-Key";
    private const int Longest = 255;

    /// <summary>What may differ between a request and its repetition, and says nothing of who asks.</summary>
    private static readonly HashSet<string> Changing = new(StringComparer.OrdinalIgnoreCase)
    {
        Name, "traceparent", "tracestate", "baggage", "X-Request-Id", "User-Agent", "Accept-Language", "Date", "Priority", "Cache-Control", "Pragma",
    };

    /// <summary>False where there is a key that is none; a key of null where there is none at all.</summary>
    public static bool TryRead(IHeaderDictionary headers, out string? key)
    {
        var values = headers[Name];
        key = values.Count == 0 ? null : values.ToString();
        return values.Count <= 1 && key is null or { Length: > 0 and <= Longest };
    }

    /// <summary>
    /// The key together with whatever else came: a key must give nobody the answer of somebody else, and there is no telling in which header a client
    /// shows who it is.
    /// </summary>
    public static string Scoped(string key, IReadOnlyDictionary<string, string> headers)
    {
        var text = new StringBuilder(key);
        foreach (var (name, value) in headers.OrderBy(static header => header.Key, StringComparer.OrdinalIgnoreCase))
        {
            if (!Changing.Contains(name) && !name.StartsWith("x-stainless-", StringComparison.OrdinalIgnoreCase))
            {
                text.Append('\n').Append(name.ToUpperInvariant()).Append(':').Append(value);
            }
        }

        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    public static string FingerprintOf(RequestBody body) => $"{body.MediaType} {Convert.ToBase64String(SHA256.HashData(body.Content.Span))}";
}
