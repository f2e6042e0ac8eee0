using System.Text;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// The HTTP handlers of the transports. Transports with equal settings share a handler and its connections: over HTTP/2 many streams share
/// one connection, and another is opened when the server's limit is reached. The handlers never follow redirects. The transport does, so
/// that credentials stay at their origin.
/// </summary>
internal static class HttpHandlers
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<Key, Shared> Handlers = [];
    private static readonly HttpConnectionOptions Defaults = new();

    /// <summary>Returns the handler for these settings. Each call must be followed by <see cref="Return"/>.</summary>
    public static Shared Rent(HttpConnectionOptions options, Uri endpoint)
    {
        // Credentials are sent to one origin only.
        var key = new Key(options, options.Credentials is null ? null : endpoint.GetLeftPart(UriPartial.Authority));
        lock (Gate)
        {
            if (!Handlers.TryGetValue(key, out var shared))
            {
                shared = new Shared(key, Create(options, endpoint));
                Handlers.Add(key, shared);
            }

            shared.Users++;
            return shared;
        }
    }

    /// <summary>
    /// Releases a handler. The last release closes its connections, except for the handler of the default settings, which stays for later
    /// transports.
    /// </summary>
    public static void Return(Shared shared)
    {
        var isUnused = false;
        lock (Gate)
        {
            if (--shared.Users == 0 && shared.Key.Options != Defaults)
            {
                Handlers.Remove(shared.Key);
                isUnused = true;
            }
        }

        if (isUnused)
        {
            shared.Http.Dispose();
        }
    }

    /// <summary>Creates a handler with these settings that is not shared. The caller disposes it.</summary>
    public static SocketsHttpHandler Create(HttpConnectionOptions options, Uri endpoint)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = options.Decompression,
            EnableMultipleHttp2Connections = true,
            // Connections are replaced so that DNS changes take effect. A stream in progress keeps its connection.
            PooledConnectionLifetime = options.ConnectionLifetime,
            // Without pings, a dead HTTP/2 connection would be used for one attempt after the other.
            KeepAlivePingDelay = options.PingInterval,
            KeepAlivePingTimeout = options.PingInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromSeconds(20) : options.PingInterval,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // Last-Event-ID is UTF-8 (HTML standard, 9.2.4); all other headers are ASCII.
            RequestHeaderEncodingSelector = static (name, _) =>
                string.Equals(name, WireHeaders.LastEventId, StringComparison.Ordinal) ? Encoding.UTF8 : null,
            UseCookies = options.Cookies is not null,
            Credentials = options.Credentials is { } given ? new OriginCredentials(given, endpoint) : null,
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

    internal sealed record Key(HttpConnectionOptions Options, string? Origin);

    internal sealed class Shared(Key key, SocketsHttpHandler handler)
    {
        public Key Key => key;

        public HttpMessageInvoker Http { get; } = new(handler);

        /// <summary>The number of users that have not released the handler. Read and written under the lock.</summary>
        public int Users { get; set; }
    }
}
