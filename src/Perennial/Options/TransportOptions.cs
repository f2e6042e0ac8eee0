namespace Perennial;

/// <summary>Options for every transport. Immutable; only <see cref="Endpoint"/> has no default.</summary>
public abstract record TransportOptions
{
    private NestedOptions<ReconnectOptions> _reconnect;
    private NestedOptions<BufferOptions> _buffer;
    private NestedOptions<SendOptions> _send;

    /// <summary>Gets the absolute URL of the stream.</summary>
    public required Uri Endpoint { get; init; }

    /// <summary>
    /// Gets how long one attempt may take until the peer accepts it (over HTTP: until the response headers). Default 30 s; 1 ms to 1 h.
    /// </summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets how long a connection may receive no byte, not even a heartbeat, before it counts as lost. Default <see langword="null"/>: 5
    /// min, or three heartbeat intervals if the server announces its interval. 1 ms to 24 h, or <see cref="Timeout.InfiniteTimeSpan"/> for
    /// no limit. Time in which the transport itself does not read does not count.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>Gets the size of the largest message accepted, in bytes. Default 16 MiB; 1 to 1 GiB.</summary>
    public int MaxMessageBytes { get; init; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets the id of the last processed message, after which the first connection resumes. Default <see langword="null"/>: the start of
    /// the stream.
    /// </summary>
    public string? LastEventId { get; init; }

    /// <summary>
    /// Gets the position at which another transport stopped reading (<see cref="Transport.ResumePoint"/>). The stream is then read by GET
    /// at the URL of the resume point; <see cref="LastEventId"/>, a method and a body are not used. Its origin must be that of
    /// <see cref="Endpoint"/>. Default <see langword="null"/>: the stream is opened at <see cref="Endpoint"/>.
    /// </summary>
    public ResumePoint? ResumeFrom { get; init; }

    /// <summary>
    /// Gets what the transport does when a connection is closed in an orderly way without an end marker. Default
    /// <see cref="EndOfStreamPolicy.Complete"/>.
    /// </summary>
    public EndOfStreamPolicy EndOfStream { get; init; }

    /// <summary>
    /// Gets a callback that replaces the protocol's conventions for end markers and error messages. Default <see langword="null"/>: the
    /// conventions apply.
    /// </summary>
    public MessageClassifier? Classify { get; init; }

    /// <summary>Gets the options for reconnecting.</summary>
    public ReconnectOptions Reconnect { get => _reconnect.Shown; init => _reconnect = new(value); }

    /// <summary>Gets the options for the buffer of received messages.</summary>
    public BufferOptions Buffer { get => _buffer.Shown; init => _buffer = new(value); }

    /// <summary>Gets the options for sending messages.</summary>
    public SendOptions Send { get => _send.Shown; init => _send = new(value); }

    internal ReconnectOptions ReconnectRules => _reconnect.Read;

    internal BufferOptions BufferRules => _buffer.Read;

    internal SendOptions SendRules => _send.Read;

    /// <summary>The URL at which the stream is read.</summary>
    internal Uri StreamEndpoint => ResumeFrom?.Endpoint ?? Endpoint;

    /// <summary>The id after which the first connection resumes.</summary>
    internal string? StartId => ResumeFrom is { } from ? from.LastEventId : LastEventId;

    internal bool IsStartExact => ResumeFrom?.IsExact ?? true;

    /// <summary>
    /// Gets the URI schemes that <see cref="Endpoint"/> may have, in lower case. Default http and https. A transport for another protocol
    /// overrides the property, for instance with <c>mqtt</c>.
    /// </summary>
    protected virtual IReadOnlyList<string> Schemes => ["http", "https"];

    /// <summary>Validates every value. The transport's constructor calls it.</summary>
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
            ResumeFrom is null
                || Endpoint is null
                || string.Equals(OptionCheck.OriginOf(ResumeFrom.Endpoint), OptionCheck.OriginOf(Endpoint), StringComparison.Ordinal),
            nameof(ResumeFrom),
            $"{nameof(ResumeFrom)} must have the scheme, host and port of {nameof(Endpoint)}, because headers and credentials are sent to it.");
        OptionCheck.Defined(EndOfStream, nameof(EndOfStream));
        OptionCheck.NotNull(ReconnectRules, nameof(Reconnect)).Validate();
        OptionCheck.NotNull(BufferRules, nameof(Buffer)).Validate();
        OptionCheck.NotNull(SendRules, nameof(Send)).Validate();
    }

    /// <summary>Returns the type, and the endpoint without user name, password and query. Safe to log.</summary>
    public sealed override string ToString() => $"{GetType().Name} {{ {nameof(Endpoint)} = {RedactedUrl.Of(Endpoint)} }}";

    /// <summary>Returns all errors that <see cref="Validate"/> finds, not only the first. Useful for settings from a file.</summary>
    public IReadOnlyList<ArgumentException> FindErrors() => OptionCheck.Collect(Validate);

    /// <summary>
    /// Returns all errors that <see cref="Validate"/> finds, and conflicts with an HTTP handler, such as connection settings that would
    /// have no effect.
    /// </summary>
    /// <param name="httpHandler">The handler that the transport would use, or <see langword="null"/> for none.</param>
    public IReadOnlyList<ArgumentException> FindErrors(HttpMessageHandler? httpHandler) => OptionCheck.Collect(() =>
    {
        Validate();
        ValidateWith(httpHandler);
    });

    /// <summary>Checks that the options do not conflict with an HTTP handler of the caller.</summary>
    /// <exception cref="ArgumentException">An option conflicts with the handler; the message names it.</exception>
    internal virtual void ValidateWith(HttpMessageHandler? httpHandler)
    {
    }
}
