using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Perennial.Engine;

namespace Perennial;

/// <summary>
/// The services that a transport uses: clock, random source, logging and HTTP handler. Every property has a default. Immutable; can be
/// shared by transports.
/// </summary>
public sealed record TransportServices
{
    /// <summary>Gets the clock for all timeouts, delays and measurements. Default <see cref="TimeProvider.System"/>.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Gets the random source for jitter. It must be thread safe if transports share it. Default <see cref="Random.Shared"/>.
    /// </summary>
    public Random Random { get; init; } = Random.Shared;

    /// <summary>Gets the logger factory. Default: no logging.</summary>
    public ILoggerFactory LoggerFactory { get; init; } = NullLoggerFactory.Instance;

    /// <summary>
    /// Gets the HTTP handler that replaces the transport's own. It may be shared, and the transport does not dispose it. Default
    /// <see langword="null"/>: a handler that all transports of the process with equal <see cref="Http.HttpConnectionOptions"/> share.
    /// </summary>
    /// <remarks>
    /// The handler determines proxy, credentials, cookies, TLS, decompression, pings and the lifetime of connections. Options whose
    /// <see cref="Http.HttpTransportOptions.Http"/> differs from the defaults are therefore refused together with a handler. A handler
    /// whose <c>AllowAutoRedirect</c> is on is refused too: the transport follows redirects itself, so that credentials stay at their
    /// origin. Event ids with non-ASCII characters require a <see cref="SocketsHttpHandler.RequestHeaderEncodingSelector"/>.
    /// </remarks>
    public HttpMessageHandler? HttpHandler { get; init; }

    /// <summary>
    /// Gets the circuit breakers of the origins to which the transports connect. Default <see langword="null"/>: no circuit breakers. A
    /// <see cref="Management.TransportManager"/> provides its own.
    /// </summary>
    public OriginBreakers? Breakers { get; init; }

    /// <summary>Reports whether this machine has a network. Attempts without a network do not count.</summary>
    internal NetworkStatus Network { get; init; } = NetworkStatus.System;

    /// <summary>Gets the defaults.</summary>
    public static TransportServices Default { get; } = new();
}
