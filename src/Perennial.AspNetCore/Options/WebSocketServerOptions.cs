namespace Perennial.AspNetCore;

/// <summary>How runs are served over WebSockets. Every default works as it is.</summary>
/// <remarks>Set up once in <c>AddPerennialServer</c> and not changed afterwards.</remarks>
public sealed class WebSocketServerOptions
{
    /// <summary>
    /// Whose pages may open a WebSocket beside those of the server's own host: origins such as <c>https://app.example.com</c>, or
    /// <c>*</c> for all. Default none; a page from elsewhere is refused with 403.
    /// </summary>
    /// <remarks>
    /// A browser sends cookies along with a WebSocket handshake from any page and asks nobody first, so that CORS protects nothing here
    /// (RFC 6455, section 10.2). Requests without <c>Origin</c> come from no page, and are not concerned. The own host is the one that the
    /// request names; behind a proxy that changes it, use forwarded headers or name the origin here.
    /// </remarks>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Whether to accept compression (permessage-deflate, RFC 7692) where the client offers it. Default false: secrets that are compressed
    /// together with what an attacker can choose leak through the length (CRIME, BREACH), and each socket then keeps a window of memory
    /// that is larger than everything else it needs.
    /// </summary>
    public bool Compression { get; set; }

    /// <summary>What stands in <see cref="AllowedOrigins"/> for all origins.</summary>
    internal const string AnyOrigin = "*";

    internal void Validate()
    {
        foreach (var origin in AllowedOrigins)
        {
            RequireOrigin(origin, nameof(AllowedOrigins));
        }
    }

    private static void RequireOrigin(string origin, string member)
    {
        if (!IsOrigin(origin))
        {
            throw new ArgumentOutOfRangeException(member, origin, $"{member} takes origins such as https://app.example.com, without a path, or *.");
        }
    }

    private static bool IsOrigin(string text) =>
        string.Equals(text, AnyOrigin, StringComparison.Ordinal)
        || (Uri.TryCreate(text, UriKind.Absolute, out var uri) && string.Equals(text, uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));
}
