using System.Net;
using System.Net.Security;

namespace Perennial.Http;

/// <summary>
/// Options for HTTP connections. Transports with equal settings share one connection pool in the process. All values must be the defaults
/// if <see cref="TransportServices.HttpHandler"/> is set.
/// </summary>
public sealed record HttpConnectionOptions
{
    /// <summary>
    /// Gets the encodings offered to the server. Default gzip and br; <see cref="DecompressionMethods.None"/> offers none. If a compressed
    /// body is truncated but HTTP itself ends correctly, the platform's decoders report a complete body. If a server may do that, see
    /// <see cref="TransportOptions.EndOfStream"/>.
    /// </summary>
    public DecompressionMethods Decompression { get; init; } = DecompressionMethods.GZip | DecompressionMethods.Brotli;

    /// <summary>Gets the proxy. Default <see langword="null"/>: the system's proxy.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>
    /// Gets the credentials for the endpoint's origin, sent if it requests them. No other server receives them. Default none.
    /// </summary>
    public ICredentials? Credentials { get; init; }

    /// <summary>Gets the cookie container. Default <see langword="null"/>: cookies are ignored.</summary>
    public CookieContainer? Cookies { get; init; }

    /// <summary>Gets the TLS settings: client certificates, certificate validation, protocols. Default: the platform's settings.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// Gets how long an HTTP/2 connection may receive nothing before the client sends a ping. If no answer arrives in the same time again,
    /// the connection is closed. All streams to an origin share the connection, so without pings a dead connection would be used for one
    /// attempt after the other. Default 15 s; 1 s to 1 h, or <see cref="Timeout.InfiniteTimeSpan"/> for no pings. Does not apply to
    /// HTTP/1.1.
    /// </summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets how long a connection is used for new requests. After that a new connection replaces it, so that DNS changes take effect. A
    /// stream in progress keeps its connection. Default 15 min; 100 ms to 24 h, or <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromMinutes(15);

    internal void Validate()
    {
        OptionCheck.RangeOrInfinite(
            PingInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), $"{nameof(HttpTransportOptions.Http)}.{nameof(PingInterval)}");
        OptionCheck.RangeOrInfinite(
            ConnectionLifetime,
            TimeSpan.FromMilliseconds(100),
            TimeSpan.FromHours(24),
            $"{nameof(HttpTransportOptions.Http)}.{nameof(ConnectionLifetime)}");
    }
}
