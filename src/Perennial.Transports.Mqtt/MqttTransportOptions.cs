using System.Net.Security;

namespace Perennial.Transports.Mqtt;

/// <summary>
/// Options for <see cref="MqttTransport"/>. The endpoint is such as <c>mqtt://host:1883/topic</c> or <c>mqtts://host:8883/topic</c>; over a
/// WebSocket such as <c>wss://host/mqtt</c>. Only <see cref="TransportOptions.Endpoint"/> has no default.
/// </summary>
public sealed record MqttTransportOptions : TransportOptions
{
    private const int LongestTopic = 65_535;

    /// <summary>
    /// Gets the topic filters to subscribe to, with the wildcards <c>+</c> and <c>#</c> (MQTT 5, section 4.7). Default empty: the path of
    /// an <c>mqtt</c> or <c>mqtts</c> endpoint, or no subscription if it has none.
    /// </summary>
    public IReadOnlyList<string> Topics { get; init; } = [];

    /// <summary>
    /// Gets the quality of service of the subscriptions and of sent messages. Default <see cref="MqttQuality.AtLeastOnce"/>.
    /// </summary>
    public MqttQuality Quality { get; init; } = MqttQuality.AtLeastOnce;

    /// <summary>Gets the topic to which messages are sent. Default <see langword="null"/>: the transport cannot send.</summary>
    public string? SendTopic { get; init; }

    /// <summary>Gets the version of the protocol. Default <see cref="MqttVersion.V5"/>.</summary>
    public MqttVersion Version { get; init; } = MqttVersion.V5;

    /// <summary>
    /// Gets the client id, which names the session on the server. Only one connection can use it at a time. Default
    /// <see langword="null"/>: a random id. The session then ends with the transport, and in MQTT 3.1.1 with each connection.
    /// </summary>
    public string? ClientId { get; init; }

    /// <summary>
    /// Gets how long the server keeps the session, and the messages for it, after a connection ended. Default 1 h; zero for no session, or
    /// up to 10 years, in whole seconds. MQTT 3.1.1 knows only whether there is a session.
    /// </summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets how many messages with acknowledgement the server may send before one of them was put into the buffer. Default 100; 1 to
    /// 65,535. MQTT 3.1.1 has no such limit.
    /// </summary>
    public int ReceiveMaximum { get; init; } = 100;

    /// <summary>
    /// Gets after how long a silent connection counts as lost by the server, which may set another value. The transport pings twice in this
    /// time. Default 30 s; 2 s to 18 h, in whole seconds.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the user name. Default <see langword="null"/>: the one of the endpoint, if it has one.</summary>
    public string? UserName { get; init; }

    /// <summary>Gets the password. Default <see langword="null"/>: the one of the endpoint, if it has one.</summary>
    public string? Password { get; init; }

    /// <summary>
    /// Gets the name of the user property with the id of a message (MQTT 5). The ids must be unique: a message whose id was read lately is
    /// dropped as a repetition. Sent messages carry an id too. Default <see langword="null"/>: messages have no id.
    /// </summary>
    public string? IdProperty { get; init; }

    /// <summary>
    /// Gets the name of the user property with the event type of a message (MQTT 5). Default <see langword="null"/>: the event type is the
    /// topic. The topic is also the event type of messages without the property.
    /// </summary>
    public string? EventTypeProperty { get; init; }

    /// <summary>
    /// Gets the message that the server publishes if the connection ends without a goodbye (MQTT 5, section 3.1.2.5). Default
    /// <see langword="null"/>: none.
    /// </summary>
    public MqttWill? Will { get; init; }

    /// <summary>
    /// Gets a callback that sets TLS options, such as a client certificate, before each attempt. Default <see langword="null"/>: the
    /// platform's defaults. Applies to <c>mqtts</c> and <c>wss</c>; a WebSocket takes only the certificates and the validation callback.
    /// </summary>
    public Action<SslClientAuthenticationOptions>? ConfigureTls { get; init; }

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Schemes => ["mqtt", "mqtts", "ws", "wss"];

    internal bool IsWebSocket => Endpoint.Scheme is "ws" or "wss";

    internal bool IsEncrypted => Endpoint.Scheme is "mqtts" or "wss";

    internal int Port => Endpoint.Port > 0 ? Endpoint.Port : IsEncrypted ? 8883 : 1883;

    /// <summary>Whether the server keeps messages while there is no connection.</summary>
    internal bool HasSession =>
        SessionExpiry > TimeSpan.Zero && Quality != MqttQuality.AtMostOnce && (ClientId is not null || Version == MqttVersion.V5);

    /// <summary>The filters to subscribe to: the configured ones, or the one in the endpoint.</summary>
    internal IReadOnlyList<string> Filters =>
        Topics.Count > 0 || IsWebSocket ? Topics
        : TopicOf(Endpoint) is { Length: > 0 } topic ? [topic]
        : [];

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        const string InSession = "must be null: an MQTT server keeps the position in the session of the client id";
        Require(LastEventId is null, nameof(LastEventId), InSession);
        Require(ResumeFrom is null, nameof(ResumeFrom), InSession);
        Require(
            Topics is not null && Topics.All(IsFilter), nameof(Topics), "must hold topic filters: + and # only as whole levels, # last");
        Require(Enum.IsDefined(Quality), nameof(Quality), $"must be one of {string.Join(", ", Enum.GetNames<MqttQuality>())}");
        Require(SendTopic is null || IsTopic(SendTopic), nameof(SendTopic), "must be a topic without wildcards");
        Require(Enum.IsDefined(Version), nameof(Version), $"must be one of {string.Join(", ", Enum.GetNames<MqttVersion>())}");
        Require(ClientId is null or { Length: > 0 and <= 65_535 }, nameof(ClientId), "must have 1 to 65,535 characters, or be null");
        Require(
            SessionExpiry >= TimeSpan.Zero && SessionExpiry <= TimeSpan.FromDays(3653),
            nameof(SessionExpiry),
            "must be between zero and 10 years");
        Require(ReceiveMaximum is >= 1 and <= ushort.MaxValue, nameof(ReceiveMaximum), "must be between 1 and 65,535");
        Require(
            KeepAlive >= TimeSpan.FromSeconds(2) && KeepAlive <= TimeSpan.FromHours(18),
            nameof(KeepAlive),
            "must be between 2 s and 18 h");
        Require(
            Version == MqttVersion.V5 || (IdProperty ?? EventTypeProperty) is null,
            nameof(IdProperty),
            "and EventTypeProperty need MQTT 5, which has user properties");
        Require(Will is null || IsTopic(Will.Topic), nameof(Will), "must have a topic without wildcards");
    }

    /// <summary>The topic in a URL: everything after the first slash. A <c>#</c> in it is a wildcard, not a fragment.</summary>
    private static string TopicOf(Uri endpoint) => Uri.UnescapeDataString(endpoint.AbsolutePath + endpoint.Fragment).TrimStart('/');

    private static bool IsTopic(string? topic) =>
        topic is { Length: > 0 and <= LongestTopic } && !topic.AsSpan().ContainsAny("+#\0");

    private static bool IsFilter(string? filter)
    {
        if (filter is not { Length: > 0 and <= LongestTopic } || filter.Contains('\0', StringComparison.Ordinal))
        {
            return false;
        }

        var levels = filter.Split('/');
        return levels.Select(static (level, index) => (Level: level, Index: index)).All(part =>
            !part.Level.AsSpan().ContainsAny("+#") || part.Level is "+" || (part.Level is "#" && part.Index == levels.Length - 1));
    }

    private static void Require(bool condition, string name, string rule)
    {
        if (!condition)
        {
            throw new ArgumentException($"{name} {rule}.", name);
        }
    }
}
