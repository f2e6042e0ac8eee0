namespace Perennial;

/// <summary>What every transport can be told. Immutable; only <see cref="Endpoint"/> has no default.</summary>
public abstract record TransportOptions
{
    private NestedOptions<ReconnectOptions> _reconnect;
    private NestedOptions<BufferOptions> _buffer;
    private NestedOptions<SendOptions> _send;

    /// <summary>The absolute URL of the stream.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>How long one attempt may take until the peer accepts it (over HTTP: until response headers). Default 30 s; 1 ms to 1 h.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long a connection may stay without any byte, heartbeats included, before it counts as lost. Default
    /// <see langword="null"/>: 5 min, or three heartbeats where the server announces its interval. 1 ms to 24 h, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never. Time in which this side does not read does not count.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>The largest message accepted, in bytes. Default 16 MiB; 1 to 1 GiB.</summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>Where to resume from at the first connection: the id of the last message that was processed. Default: from the start.</summary>
    public string? LastEventId { get; init; }

    /// <summary>
    /// Where another transport stopped reading (<see cref="Transport.ResumePoint"/>), to go on there: the stream is read by GET at that URL,
    /// and <see cref="LastEventId"/>, a method and a body are not used. Its origin must be the one of <see cref="Endpoint"/>. Default
    /// <see langword="null"/>: the stream is opened at <see cref="Endpoint"/>.
    /// </summary>
    public ResumePoint? ResumeFrom { get; init; }

    /// <summary>What an end in good order without an end marker means. Default <see cref="EndOfStreamPolicy.Complete"/>.</summary>
    public EndOfStreamPolicy EndOfStream { get; init; }

    /// <summary>Replaces the protocol's conventions for end markers and error messages. Default <see langword="null"/>: the conventions.</summary>
    public MessageClassifier? Classify { get; init; }

    /// <summary>How lost connections are replaced.</summary>
    public ReconnectOptions Reconnect { get => _reconnect.Shown; init => _reconnect = new(value); }

    /// <summary>How messages wait for their reader.</summary>
    public BufferOptions Buffer { get => _buffer.Shown; init => _buffer = new(value); }

    /// <summary>How outgoing messages wait for a connection.</summary>
    public SendOptions Send { get => _send.Shown; init => _send = new(value); }

    internal ReconnectOptions ReconnectRules => _reconnect.Read;

    internal BufferOptions BufferRules => _buffer.Read;

    internal SendOptions SendRules => _send.Read;

    /// <summary>Where the stream is read.</summary>
    internal Uri StreamEndpoint => ResumeFrom?.Endpoint ?? Endpoint;

    /// <summary>The id after which the first connection goes on.</summary>
    internal string? StartId => ResumeFrom is { } from ? from.LastEventId : LastEventId;

    internal bool IsStartExact => ResumeFrom?.IsExact ?? true;

    /// <summary>
    /// Gets the URI schemes that <see cref="Endpoint"/> may have, in lower case. Default http and https; a transport of another protocol
    /// overrides it, for instance with <c>mqtt</c>.
    /// </summary>
    protected virtual IReadOnlyList<string> Schemes => ["http", "https"];

    /// <summary>Checks every value. Called by the transport's constructor.</summary>
    /// <exception cref="ArgumentException">A value is missing or malformed; the message names it and what is accepted.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the message names it and the range.</exception>
    public virtual void Validate()
    {
        OptionCheck.Endpoint(Endpoint, nameof(Endpoint), Schemes);
        OptionCheck.Range(ConnectTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), nameof(ConnectTimeout));
        OptionCheck.RangeOrInfinite(IdleTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(24), nameof(IdleTimeout));
        OptionCheck.Range(MaxMessageBytes, 1, 1024 * 1024 * 1024, nameof(MaxMessageBytes));
        OptionCheck.EventId(LastEventId, nameof(LastEventId));
        OptionCheck.Require(
            ResumeFrom is null || Endpoint is null || string.Equals(OptionCheck.OriginOf(ResumeFrom.Endpoint), OptionCheck.OriginOf(Endpoint), StringComparison.Ordinal),
            nameof(ResumeFrom),
            $"{nameof(ResumeFrom)} must have the scheme, host and port of {nameof(Endpoint)}, because headers and credentials are sent to it.");
        OptionCheck.Defined(EndOfStream, nameof(EndOfStream));
        OptionCheck.NotNull(ReconnectRules, nameof(Reconnect)).Validate();
        OptionCheck.NotNull(BufferRules, nameof(Buffer)).Validate();
        OptionCheck.NotNull(SendRules, nameof(Send)).Validate();
    }

    /// <summary>The type, and the endpoint without user name, password and query: safe to log.</summary>
    public sealed override string ToString() => $"{GetType().Name} {{ {nameof(Endpoint)} = {RedactedUrl.Of(Endpoint)} }}";

    /// <summary>Everything that <see cref="Validate"/> would refuse, not only the first: for settings that come from a file.</summary>
    public IReadOnlyList<ArgumentException> FindErrors() => OptionCheck.Collect(Validate);

    /// <summary>The same, and what contradicts an HTTP handler of the caller's own, such as connection settings that it leaves without effect.</summary>
    /// <param name="httpHandler">The handler that the transport would be given; <see langword="null"/> for none.</param>
    public IReadOnlyList<ArgumentException> FindErrors(HttpMessageHandler? httpHandler) => OptionCheck.Collect(() =>
    {
        Validate();
        ValidateWith(httpHandler);
    });

    /// <summary>Refuses what contradicts an HTTP handler of the caller's own.</summary>
    /// <exception cref="ArgumentException">There is such an option; the message names it.</exception>
    internal virtual void ValidateWith(HttpMessageHandler? httpHandler)
    {
    }
}
