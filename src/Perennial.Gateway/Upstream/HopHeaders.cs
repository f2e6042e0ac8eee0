using Microsoft.Extensions.Primitives;

namespace Perennial.Gateway.Upstream;

/// <summary>The header fields of one connection, which a gateway does not forward (RFC 9110, section 7.6.1).</summary>
internal static class HopHeaders
{
    private static readonly HashSet<string> Always = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    /// <summary>Whether a field is never forwarded.</summary>
    public static bool Contains(string name) => Always.Contains(name) || name.StartsWith(':');

    /// <summary>The names that a <c>Connection</c> field lists.</summary>
    public static IEnumerable<string> NamedBy(StringValues connection) =>
        connection.SelectMany(
            static value => value?.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries) ?? []);
}
