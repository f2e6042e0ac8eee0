using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Perennial.Engine;

namespace Perennial;

/// <summary>What a transport takes from its surroundings: clock, chance, logs and network. Every part has a default. Safe to share.</summary>
public sealed record TransportServices
{
    /// <summary>The clock behind every timeout, wait and measurement. Default <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>The source of jitter. It must be thread safe where it is shared. Default <see cref="Random.Shared"/>.</summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>Where logs go. Default: nowhere.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>
    /// The HTTP stack to use in place of the transport's own, shared with others and not disposed. Default <see langword="null"/>: one
    /// for all transports of the process whose <see cref="Http.HttpConnectionOptions"/> are equal.
    /// </summary>
    /// <remarks>
    /// Proxy, credentials, cookies, TLS, decompression, pings and the lifetime of connections are the handler's own: options whose
    /// <see cref="Http.HttpTransportOptions.Http"/> differs from its defaults are refused beside it. A handler whose
    /// <c>AllowAutoRedirect</c> is on is refused too: the transport follows redirects itself, so that credentials stay at their origin.
    /// Event ids beyond ASCII need a <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/>.
    /// </remarks>
    public HttpMessageHandler? HttpHandler { get; init; }

    /// <summary>
    /// The circuit breakers of the origins that these transports connect to. Default <see langword="null"/>: each transport tries on
    /// its own. A <see cref="Management.TransportManager"/> brings its own.
    /// </summary>
    public OriginBreakers? Breakers { get; init; }

    /// <summary>Whether this machine has a network: without one, no attempt is spent.</summary>
    internal NetworkStatus Network { get; init; } = NetworkStatus.System;

    internal static TransportServices Default { get; } = new();
}
