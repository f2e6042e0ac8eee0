using System.Net;
using System.Text;

namespace Perennial.Http;

/// <summary>Makes the HTTP stack below a transport. Redirects are never followed here: the transport does it and keeps credentials at home.</summary>
internal static class HttpHandlers
{
    private static readonly HttpConnectionOptions Defaults = new();
    private static readonly Lazy<SocketsHttpHandler> SharedHandler = new(() => Create(Defaults, credentials: null));

    /// <summary>The handler for these options, and whether the caller owns it.</summary>
    public static (HttpMessageHandler Handler, bool IsOwned) For(HttpConnectionOptions options, Uri endpoint) =>
        options == Defaults
            ? (SharedHandler.Value, false)
            : (Create(options, options.Credentials is { } given ? new OriginCredentials(given, endpoint) : null), true);

    private static SocketsHttpHandler Create(HttpConnectionOptions options, ICredentials? credentials)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = options.Decompression,
            EnableMultipleHttp2Connections = true,
            // Renewed so that DNS changes are seen; a stream in progress keeps its connection.
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            // An HTTP/2 connection that went dead would otherwise be given one attempt after another.
            KeepAlivePingDelay = options.PingInterval,
            KeepAlivePingTimeout = options.PingInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromSeconds(20) : options.PingInterval,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // Last-Event-ID is UTF-8 (HTML standard, 9.2.4); all other headers are ASCII.
            RequestHeaderEncodingSelector = static (name, _) => string.Equals(name, "Last-Event-ID", StringComparison.Ordinal) ? Encoding.UTF8 : null,
            UseCookies = options.Cookies is not null,
            Credentials = credentials,
        };
        if (options.Cookies is not null)
        {
            handler.CookieContainer = options.Cookies;
        }

        if (options.Proxy is not null)
        {
            handler.Proxy = options.Proxy;
        }

        if (options.Tls is not null)
        {
            handler.SslOptions = options.Tls;
        }

        return handler;
    }
}
