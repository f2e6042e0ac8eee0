using System.Globalization;
using System.Net.Security;

namespace Perennial.Transports.Redis;

/// <summary>
/// Options for <see cref="RedisTransport"/>. The endpoint is such as <c>redis://user:password@host:6379/0?stream=orders</c>, or
/// <c>rediss://…</c> over TLS: the path is the number of the database, and <c>stream</c>, <c>channel</c> and <c>pattern</c> in the query
/// set the options of these names. Only <see cref="TransportOptions.Endpoint"/> has no default.
/// </summary>
public sealed record RedisTransportOptions : TransportOptions
{
    /// <summary>
    /// Gets the key of the stream to read. It resumes exactly. Default <see langword="null"/>: the endpoint's <c>stream</c>, or Pub/Sub.
    /// </summary>
    public string? Stream { get; init; }

    /// <summary>
    /// Gets whether reading begins with the next entry that is added, and not with the first one of the stream. Default
    /// <see langword="false"/>. Not used with a position such as <see cref="TransportOptions.LastEventId"/>.
    /// </summary>
    public bool StartsAtEnd { get; init; }

    /// <summary>
    /// Gets the name of the field that is the payload of an entry, also of sent ones. Default <c>data</c>. The payload of an entry without
    /// it is a JSON object with all fields.
    /// </summary>
    public string DataField { get; init; } = "data";

    /// <summary>Gets the name of the field that is the event type of an entry. Default <c>event</c>.</summary>
    public string EventTypeField { get; init; } = "event";

    /// <summary>Gets the Pub/Sub channels to subscribe to. Default empty: those of the endpoint.</summary>
    public IReadOnlyList<string> Channels { get; init; } = [];

    /// <summary>
    /// Gets the patterns of Pub/Sub channels to subscribe to, such as <c>news.*</c>. Default empty: those of the endpoint. A message whose
    /// channel is subscribed to twice arrives twice.
    /// </summary>
    public IReadOnlyList<string> Patterns { get; init; } = [];

    /// <summary>
    /// Gets how many Pub/Sub messages may wait for room in the buffer. Redis does not slow down publishers, so further messages are lost,
    /// which is announced as a gap. Default 10,000; 1 to 1,000,000.
    /// </summary>
    public int MaxPending { get; init; } = 10_000;

    /// <summary>Gets the key of the stream to which messages are added. Default <see langword="null"/>.</summary>
    public string? SendStream { get; init; }

    /// <summary>
    /// Gets the Pub/Sub channel to which messages are published. Default <see langword="null"/>. Without this and
    /// <see cref="SendStream"/> the transport cannot send.
    /// </summary>
    public string? SendChannel { get; init; }

    /// <summary>
    /// Gets how often the transport makes sure that a silent server is alive. Three times this without an answer is a lost connection.
    /// Default 10 s; 100 ms to 30 s.
    /// </summary>
    public TimeSpan PingInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Gets the user name. Default <see langword="null"/>: the one of the endpoint, if it has one.</summary>
    public string? UserName { get; init; }

    /// <summary>Gets the password. Default <see langword="null"/>: the one of the endpoint, if it has one.</summary>
    public string? Password { get; init; }

    /// <summary>
    /// Gets a callback that sets TLS options before each attempt. Default <see langword="null"/>: the platform's defaults. Applies to
    /// <c>rediss</c>.
    /// </summary>
    public Action<SslClientAuthenticationOptions>? ConfigureTls { get; init; }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Schemes => ["redis", "rediss"];

    internal string? StreamKey => Stream ?? Query("stream").FirstOrDefault();

    internal IReadOnlyList<string> AllChannels => Channels.Count > 0 ? Channels : Query("channel");

    internal IReadOnlyList<string> AllPatterns => Patterns.Count > 0 ? Patterns : Query("pattern");

    internal bool CanSend => (SendStream ?? SendChannel) is not null;

    internal int Database =>
        int.TryParse(Endpoint.AbsolutePath.Trim('/'), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        var isStream = StreamKey is not null;
        var isPubSub = AllChannels.Count + AllPatterns.Count > 0;
        Require(!(isStream && isPubSub), nameof(Stream), "must not be set together with Channels or Patterns");
        Require(isStream || isPubSub || CanSend, nameof(Stream), "or Channels, Patterns, SendStream or SendChannel must be set");
        Require((SendStream ?? "") is "" || SendChannel is null, nameof(SendStream), "must not be set together with SendChannel");
        Require(isStream || (LastEventId is null && ResumeFrom is null), nameof(LastEventId), "and ResumeFrom need a stream");
        Require(IsEntryId(LastEventId), nameof(LastEventId), "must be the id of an entry, such as 1526919030474-55");
        Require(IsEntryId(ResumeFrom?.LastEventId), nameof(ResumeFrom), "must have the id of an entry, such as 1526919030474-55");
        Require(MaxPending is >= 1 and <= 1_000_000, nameof(MaxPending), "must be between 1 and 1,000,000");
        Require(
            PingInterval >= TimeSpan.FromMilliseconds(100) && PingInterval <= TimeSpan.FromSeconds(30),
            nameof(PingInterval),
            "must be between 100 ms and 30 s");
        Require(
            Endpoint.AbsolutePath.Trim('/') is var path && (path.Length == 0 || path.All(char.IsAsciiDigit)),
            nameof(Endpoint),
            "must have the number of a database as its path, or none");
    }

    private List<string> Query(string name) =>
    [
        .. Endpoint.Query.TrimStart('?')
            .Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(static pair => pair.Split('=', 2))
            .Where(pair => pair.Length == 2 && string.Equals(pair[0], name, StringComparison.Ordinal))
            .Select(static pair => Uri.UnescapeDataString(pair[1])),
    ];

    private static bool IsEntryId(string? id) => id is null || (id.Split('-') is { Length: 1 or 2 } parts
        && parts.All(static part => ulong.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out _)));

    private static void Require(bool condition, string name, string rule)
    {
        if (!condition)
        {
            throw new ArgumentException($"{name} {rule}.", name);
        }
    }
}
