using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>
/// What a <see cref="WebSocketTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default; it may begin with
/// ws, wss, http or https.
/// </summary>
public sealed record WebSocketTransportOptions : HttpTransportOptions
{
    private NestedOptions<HeartbeatOptions> _heartbeat;

    /// <summary>The defaults.</summary>
    public WebSocketTransportOptions()
    {
    }

    /// <summary>What another transport over HTTP was told, as far as it concerns this one.</summary>
    [SetsRequiredMembers]
    internal WebSocketTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>
    /// Subprotocols to offer, the preferred one first (RFC 6455, 1.9). Like <see cref="HttpTransportOptions.Headers"/> they stay at the
    /// endpoint's origin, because some servers take tokens there: a redirect elsewhere does not carry them. Default none.
    /// </summary>
    public IReadOnlyList<string> SubProtocols { get; init; } = [];

    /// <summary>
    /// Whether to offer <c>perennial.v1</c> behind <see cref="SubProtocols"/>. A server that speaks it numbers its messages, so that none
    /// is lost or repeated over reconnects, and acknowledges what is sent, which then arrives exactly once; any other server ignores the
    /// offer. Default <see langword="true"/>; turn it off for a server that refuses what it does not know.
    /// </summary>
    public bool UsePerennialProtocol { get; init; } = true;

    /// <summary>How the transport finds out that the peer is gone.</summary>
    public HeartbeatOptions Heartbeat { get => _heartbeat.Shown; init => _heartbeat = new(value); }

    /// <summary>
    /// Whether to offer compression (permessage-deflate, RFC 7692). Default <see langword="false"/>: secrets and text from others in one
    /// compressed message can give the secrets away.
    /// </summary>
    public bool Compression { get; init; }

    internal HeartbeatOptions HeartbeatRules => _heartbeat.Read;

    /// <inheritdoc/>
    protected override IReadOnlyList<string> Schemes => ["ws", "wss", "http", "https"];

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        foreach (var name in OptionCheck.NotNull(SubProtocols, nameof(SubProtocols)))
        {
            OptionCheck.Token(name, nameof(SubProtocols));
        }

        OptionCheck.NotNull(HeartbeatRules, nameof(Heartbeat)).Validate();
        OptionCheck.Require(EffectiveMethod == HttpMethod.Get, nameof(Method), "A WebSocket is opened by GET without a Body (RFC 6455, 4.1).");
        OptionCheck.Require(
            SendEndpoint is null, nameof(SendEndpoint), $"Messages are sent over the WebSocket itself; leave {nameof(SendEndpoint)} unset.");
        OptionCheck.Require(
            HttpVersion is null || HttpVersion == System.Net.HttpVersion.Version11,
            nameof(HttpVersion),
            $"A WebSocket is opened over HTTP/1.1 (RFC 6455, 4.1); leave {nameof(HttpVersion)} unset.");
    }
}

/// <summary>How a transport finds out that the peer is gone: it asks for a sign of life, and waits so long.</summary>
public sealed record HeartbeatOptions
{
    /// <summary>The silence after which to ask. Default 15 s; 10 ms to 1 h, or <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the peer may take for any answer. Default <see langword="null"/>: as long as <see cref="Interval"/>; 10 ms to 1 h.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Whether to ask with a <c>{"type":"ping"}</c> message, and to answer the peer's with <c>{"type":"pong"}</c>, in place of the
    /// protocol's own ping frames (RFC 6455, 5.5.2): for servers that speak it. Such a ping waits for its answer behind other messages
    /// while the buffer is full or the transport paused. Default <see langword="false"/>.
    /// </summary>
    public bool AsJson { get; init; }

    /// <summary>The silence after which the peer is taken for dead, where it is asked at all.</summary>
    internal TimeSpan LongestSilence => Interval + (Timeout ?? Interval);

    internal bool IsOn => Interval != System.Threading.Timeout.InfiniteTimeSpan;

    internal void Validate()
    {
        OptionCheck.RangeOrInfinite(Interval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), $"Heartbeat.{nameof(Interval)}");
        if (Timeout is { } timeout)
        {
            OptionCheck.Range(timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), $"Heartbeat.{nameof(Timeout)}");
        }
    }
}
