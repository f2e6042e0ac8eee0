using System.Net;
using System.Net.Security;

namespace Perennial.Http;

/// <summary>
/// How connections are made. Transports whose settings are equal share one pool of connections in the process.
/// Must be left at the defaults where <see cref="TransportServices.HttpHandler"/> is set.
/// </summary>
public sealed record HttpConnectionOptions
{
    /// <summary>
    /// Encodings offered to the server. Default gzip and br; <see cref="DecompressionMethods.None"/> offers none. A compressed body that is cut short
    /// while HTTP itself ends in good order is taken for a whole one, as the platform's decoders do: where a server can do that, see
    /// <see cref="TransportOptions.EndOfStream"/>.
    /// </summary>
    public DecompressionMethods Decompression { get; init; } = DecompressionMethods.GZip | DecompressionMethods.Brotli;

    /// <summary>The proxy to use. Default <see langword="null"/>: the system's.</summary>
    public IWebProxy? Proxy { get; init; }

    /// <summary>Credentials for the endpoint's origin, should it ask for them; no other server gets them. Default none.</summary>
    public ICredentials? Credentials { get; init; }

    /// <summary>Where cookies are kept and taken from. Default <see langword="null"/>: cookies are ignored.</summary>
    public CookieContainer? Cookies { get; init; }

    /// <summary>TLS settings: client certificates, certificate checks, protocols. Default: the platform's.</summary>
    public SslClientAuthenticationOptions? Tls { get; init; }

    /// <summary>
    /// How long an HTTP/2 connection may be silent before it is asked for a sign of life; without one in as long again it is given
    /// up. Without that a line that went dead would be used for one attempt after another, because all streams to an origin share
    /// it. Default 15 s; 1 s to 1 h, or <see cref="Timeout.InfiniteTimeSpan"/> for never. HTTP/1.1 needs none.
    /// </summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// How long a connection is used for new requests; then another takes its place, so that changes of DNS are seen. A stream in
    /// progress keeps its connection. Default 15 min; 100 ms to 24 h, or <see cref="Timeout.InfiniteTimeSpan"/> for ever.
    /// </summary>
    public TimeSpan ConnectionLifetime { get; init; } = TimeSpan.FromMinutes(15);

    internal void Validate()
    {
        OptionCheck.RangeOrInfinite(PingInterval, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), $"{nameof(HttpTransportOptions.Http)}.{nameof(PingInterval)}");
        OptionCheck.RangeOrInfinite(
            ConnectionLifetime, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24), $"{nameof(HttpTransportOptions.Http)}.{nameof(ConnectionLifetime)}");
    }
}
