namespace Perennial.AspNetCore;

/// <summary>Options for runs over WebSockets. Every default works without changes.</summary>
/// <remarks>Set in <c>AddPerennialServer</c> and not changed afterwards.</remarks>
public sealed class WebSocketServerOptions
{
    /// <summary>
    /// Gets the origins whose pages may open a WebSocket, in addition to the server's own host: for example <c>https://app.example.com</c>,
    /// or <c>*</c> for all. Default none. Pages of other origins get 403.
    /// </summary>
    /// <remarks>
    /// A browser sends cookies with a WebSocket handshake from any page, without a CORS check (RFC 6455, section 10.2). Requests without
    /// <c>Origin</c> do not come from a page and are not checked. The server's own host is the host of the request. Behind a proxy that
    /// changes the host, use forwarded headers or add the origin here.
    /// </remarks>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Gets or sets whether the server accepts compression (permessage-deflate, RFC 7692) if the client offers it. Default false: secrets
    /// that are compressed together with text chosen by an attacker leak through the length (CRIME, BREACH), and each socket then keeps a
    /// memory window that is larger than everything else it needs.
    /// </summary>
    public bool Compression { get; set; }

    /// <summary>The entry of <see cref="AllowedOrigins"/> that allows all origins.</summary>
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
            throw new ArgumentOutOfRangeException(
                member, origin, $"{member} must contain origins such as https://app.example.com, without a path, or *.");
        }
    }

    private static bool IsOrigin(string text) =>
        string.Equals(text, AnyOrigin, StringComparison.Ordinal)
        || (Uri.TryCreate(text, UriKind.Absolute, out var uri) && string.Equals(text, uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));
}
