using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>
/// What a <see cref="WebSocketTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default; it may begin with
/// ws, wss, http or https.
/// </summary>
public sealed record WebSocketTransportOptions : HttpTransportOptions
{
    /// <summary>Subprotocols to offer, the preferred one first (RFC 6455, 1.9). Default none.</summary>
    public IReadOnlyList<string> SubProtocols { get; init; } = [];

    /// <summary>How the transport finds out that the peer is gone.</summary>
    public HeartbeatOptions Heartbeat { get; init; } = new();

    /// <summary>
    /// Whether to offer compression (permessage-deflate, RFC 7692). Default <see langword="false"/>: secrets and text from others in one
    /// compressed message can give the secrets away.
    /// </summary>
    public bool Compression { get; init; }

    internal override IReadOnlyList<string> Schemes => ["ws", "wss", "http", "https"];

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        foreach (var name in OptionCheck.NotNull(SubProtocols, nameof(SubProtocols)))
        {
            OptionCheck.Token(name, nameof(SubProtocols));
        }

        OptionCheck.NotNull(Heartbeat, nameof(Heartbeat)).Validate();
        OptionCheck.Require(EffectiveMethod == HttpMethod.Get, nameof(Method), "A WebSocket is opened by GET without a Body (RFC 6455, 4.1).");
    }
}

/// <summary>How a transport finds out that the peer is gone: it asks for a sign of life, and waits so long.</summary>
public sealed record HeartbeatOptions
{
    /// <summary>The silence after which to ask. Default 15 s; 10 ms to 1 h, or <see cref="Timeout.InfiniteTimeSpan"/> for never.</summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How long the peer may take for any answer. Default 15 s; 10 ms to 1 h.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Whether to ask with a <c>{"type":"ping"}</c> message, and to answer the peer's with <c>{"type":"pong"}</c>, in place of the
    /// protocol's own ping frames (RFC 6455, 5.5.2): for servers that speak it. Such a ping waits for its answer behind other messages
    /// while the buffer is full or the transport paused. Default <see langword="false"/>.
    /// </summary>
    public bool AsJson { get; init; }

    internal bool IsOn => Interval != System.Threading.Timeout.InfiniteTimeSpan;

    internal void Validate()
    {
        OptionCheck.RangeOrInfinite(Interval, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), $"Heartbeat.{nameof(Interval)}");
        OptionCheck.Range(Timeout, TimeSpan.FromMilliseconds(10), TimeSpan.FromHours(1), $"Heartbeat.{nameof(Timeout)}");
    }
}
