namespace Perennial.Gateway;

/// <summary>Options for one gateway. Every default works without changes.</summary>
/// <remarks>Set in <c>MapPerennialGateway</c> and not changed afterwards.</remarks>
public sealed class GatewayOptions
{
    /// <summary>The entry of <see cref="AllowedOrigins"/> that allows all origins.</summary>
    internal const string AnyOrigin = "*";

    /// <summary>The headers that belong to one message or connection.</summary>
    private static readonly HashSet<string> OfOneMessage = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Content-Length", "Expect", "Keep-Alive", "Last-Event-ID", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade",
    };

    /// <summary>
    /// Gets or sets how long the gateway waits for the head of the upstream's response. Default 10 min, because a cold model needs
    /// minutes; 1 ms to
    /// 1 day. Then the client gets 504.
    /// </summary>
    /// <remarks>Also the longest silence in a response that is passed through.</remarks>
    public TimeSpan FirstByteTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Gets or sets the longest silence of the upstream in a stream. Default 10 min; 1 ms to 1 day. Then the stream
    /// fails.</summary>
    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(10);

    /// <summary>Gets or sets the time to connect to the upstream. Default 30 s; 1 ms to 1 day. Then the client gets 502.</summary>
    public TimeSpan ConnectTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the largest body of a request, in bytes. Default 1 GiB; 0 and up, null for no limit. The client gets 413 for a larger
    /// one. Bodies
    /// are streamed to the upstream; only those with an <c>Idempotency-Key</c> are kept, below <c>StartOptions.MaxBodyBytes</c>.
    /// </summary>
    public long? MaxRequestBytes { get; set; } = 1L << 30;

    /// <summary>Gets or sets the largest event of a stream, in bytes. Default 16 MiB; 1 KiB to 1 GiB. A larger one fails the
    /// stream.</summary>
    public int MaxEventBytes { get; set; } = 16 << 20;

    /// <summary>
    /// Gets or sets how many requests the gateway serves at the same time. Default 10,000; 1 to 10,000,000. Further requests get 503 with
    /// <c>Retry-After</c>.
    /// </summary>
    public int MaxConcurrentRequests { get; set; } = 10_000;

    /// <summary>
    /// Gets the origins whose pages may use the gateway, in addition to its own: for example <c>https://app.example.com</c>, or <c>*</c>
    /// for all.
    /// Default none. Pages of other origins get 403. The gateway answers the CORS requests of allowed origins itself.
    /// </summary>
    public IList<string> AllowedOrigins { get; } = [];

    /// <summary>
    /// Gets the headers that every request to the upstream has, in place of the client's header of the same name: for example
    /// <c>Authorization</c>.
    /// Values are never shown in logs or errors.
    /// </summary>
    public IDictionary<string, string> Headers { get; } = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Gets or sets the format of the upstream's streams. The default, <see cref="Dialects.Recognized"/>, recognizes it for each stream.
    /// <see cref="Dialects.None"/> treats streams as having no end of their own: the end of the response is the end.
    /// </summary>
    public Dialect Dialect { get; set; } = Dialects.Recognized;

    /// <summary>
    /// Gets or sets whether a stream without a known format is complete when the response ends. Default true. If false, it must end with
    /// <c>data: [DONE]</c>, or it fails.
    /// </summary>
    public bool UnmarkedEndIsComplete { get; set; } = true;

    /// <summary>
    /// Gets or sets how long an answer can be read again after its end. Default 1 hour; zero to 7 days. Keys are remembered for
    /// <c>StartOptions.KeyRetention</c>.
    /// </summary>
    public TimeSpan Retention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentException">A value is outside its range; the message names the member and what is accepted.</exception>
    public void Validate()
    {
        var (shortest, longest) = (TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(1));
        Require(FirstByteTimeout, shortest, longest, nameof(FirstByteTimeout));
        Require(IdleTimeout, shortest, longest, nameof(IdleTimeout));
        Require(ConnectTimeout, shortest, longest, nameof(ConnectTimeout));
        Require(MaxRequestBytes ?? 0, 0, long.MaxValue, nameof(MaxRequestBytes));
        Require(MaxEventBytes, 1024, 1 << 30, nameof(MaxEventBytes));
        Require(MaxConcurrentRequests, 1, 10_000_000, nameof(MaxConcurrentRequests));
        Require(Retention, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(Retention));
        RequireDialect(Dialect);
        foreach (var origin in AllowedOrigins)
        {
            RequireOrigin(origin);
        }

        foreach (var (name, value) in Headers)
        {
            RequireHeader(name, value);
        }
    }

    private static void Require<T>(T value, T least, T most, string member) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(member, value, FormattableString.Invariant($"{member} must be from {least} to {most}."));
        }
    }

    private static void RequireDialect(Dialect? dialect)
    {
        if (dialect is null)
        {
            throw new ArgumentException($"{nameof(Dialect)} must not be null; for no format use Dialects.None.", nameof(dialect));
        }
    }

    private static void RequireOrigin(string origin)
    {
        var isOrigin = string.Equals(origin, AnyOrigin, StringComparison.Ordinal)
            || (Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                && string.Equals(origin, uri.GetLeftPart(UriPartial.Authority), StringComparison.OrdinalIgnoreCase));
        if (!isOrigin)
        {
            throw new ArgumentException(
                $"{nameof(AllowedOrigins)} must contain origins such as https://app.example.com, without a path, or *; '{origin}' is none.",
                nameof(origin));
        }
    }

    // The value may be a secret, so the message does not have it.
    private static void RequireHeader(string name, string value)
    {
        using var probe = new HttpRequestMessage();
        using var content = new ByteArrayContent([]);
        var isHeader = value is not null && !OfOneMessage.Contains(name) && !value.AsSpan().ContainsAny('\r', '\n', '\0')
            && (probe.Headers.TryAddWithoutValidation(name, value) || content.Headers.TryAddWithoutValidation(name, value));
        if (!isHeader)
        {
            throw new ArgumentException(
                $"{nameof(Headers)} must contain HTTP headers that may be equal in every request; '{name}' is none.", nameof(name));
        }
    }
}
