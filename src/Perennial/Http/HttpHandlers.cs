using System.Net;
using System.Text;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// The HTTP stacks below the transports. Transports with equal settings share one, and with it its connections: over HTTP/2 many streams
/// ride one, and another is opened where the server allows no more. Redirects are never followed here: the transport does it and keeps
/// credentials at home.
/// </summary>
internal static class HttpHandlers
{
    private static readonly Lock Gate = new();
    private static readonly Dictionary<Key, Shared> Handlers = [];
    private static readonly HttpConnectionOptions Defaults = new();

    /// <summary>The handler for these settings, until it is given back.</summary>
    public static Shared Rent(HttpConnectionOptions options, Uri endpoint)
    {
        // Credentials answer to one origin alone.
        var key = new Key(options, options.Credentials is null ? null : endpoint.GetLeftPart(UriPartial.Authority));
        lock (Gate)
        {
            if (!Handlers.TryGetValue(key, out var shared))
            {
                shared = new Shared(key, Create(options, options.Credentials is { } given ? new OriginCredentials(given, endpoint) : null));
                Handlers.Add(key, shared);
            }

            shared.Users++;
            return shared;
        }
    }

    /// <summary>Follows each <see cref="Rent"/>. The last one to leave closes the connections; those of the default settings are kept for the next to come.</summary>
    public static void GiveBack(Shared shared)
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

    private static SocketsHttpHandler Create(HttpConnectionOptions options, ICredentials? credentials)
    {
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            AutomaticDecompression = options.Decompression,
            EnableMultipleHttp2Connections = true,
            // Renewed so that DNS changes are seen; a stream in progress keeps its connection.
            PooledConnectionLifetime = options.ConnectionLifetime,
            // An HTTP/2 connection that went dead would otherwise be given one attempt after another.
            KeepAlivePingDelay = options.PingInterval,
            KeepAlivePingTimeout = options.PingInterval == Timeout.InfiniteTimeSpan ? TimeSpan.FromSeconds(20) : options.PingInterval,
            KeepAlivePingPolicy = HttpKeepAlivePingPolicy.WithActiveRequests,
            // Last-Event-ID is UTF-8 (HTML standard, 9.2.4); all other headers are ASCII.
            RequestHeaderEncodingSelector = static (name, _) => string.Equals(name, WireHeaders.LastEventId, StringComparison.Ordinal) ? Encoding.UTF8 : null,
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

    internal sealed record Key(HttpConnectionOptions Options, string? Origin);

    internal sealed class Shared(Key key, SocketsHttpHandler handler)
    {
        public Key Key => key;

        public HttpMessageInvoker Http { get; } = new(handler);

        /// <summary>Those who have not given it back. Under the lock.</summary>
        public int Users { get; set; }
    }
}
