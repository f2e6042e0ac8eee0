using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Http;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Identifies repeated requests. Pure.</summary>
internal static class PromptKey
{
    /// <summary>The headers with a client's credentials: those of HTTP, and those of model providers.</summary>
    private static readonly string[] Credentials =
        ["Authorization", "Cookie", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "OpenAI-Organization", "OpenAI-Project"];

    /// <summary>Reads the key. Returns false if the header is malformed. The key is null if the header is absent.</summary>
    public static bool TryRead(IHeaderDictionary headers, out string? key)
    {
        var values = headers[IdempotencyKey.HeaderName];
        key = values.Count == 0 ? null : values.ToString();
        return values.Count <= 1 && key is null or { Length: > 0 and <= IdempotencyKey.Longest };
    }

    /// <summary>Combines the key with the credentials of its client, so that no client gets the answer of another.</summary>
    public static string Scoped(string key, IReadOnlyDictionary<string, string> headers)
    {
        var text = new StringBuilder(key);
        foreach (var name in Credentials)
        {
            text.Append('\n').Append(headers.GetValueOrDefault(name));
        }

        return Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }

    public static string FingerprintOf(RequestBody body) => $"{body.MediaType} {Convert.ToBase64String(SHA256.HashData(body.Content.Span))}";
}
