using System.Diagnostics.CodeAnalysis;
using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>
/// Options for <see cref="WebSocketTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default. Its scheme is ws, wss, http
/// or https.
/// </summary>
public sealed record WebSocketTransportOptions : HttpTransportOptions
{
    private NestedOptions<HeartbeatOptions> _heartbeat;

    /// <summary>Creates options with the default values.</summary>
    public WebSocketTransportOptions()
    {
    }

    /// <summary>Copies the options that all transports over HTTP have in common.</summary>
    [SetsRequiredMembers]
    internal WebSocketTransportOptions(HttpTransportOptions shared)
        : base(shared)
    {
    }

    /// <summary>
    /// Gets the subprotocols to offer, in order of preference (RFC 6455, section 1.9). Like <see cref="HttpTransportOptions.Headers"/> they
    /// are sent only to the endpoint's origin, not to another origin after a redirect, because some servers take tokens in them. Default
    /// none.
    /// </summary>
    public IReadOnlyList<string> SubProtocols { get; init; } = [];

    /// <summary>
    /// Gets whether to offer <c>perennial.v1</c> after <see cref="SubProtocols"/>. A server that supports it numbers its messages, so that
    /// none is lost or repeated when the transport reconnects, and acknowledges sent messages, which then arrive exactly once. Other
    /// servers ignore the offer. Default <see langword="true"/>; set it to <see langword="false"/> for a server that refuses unknown
    /// subprotocols.
    /// </summary>
    public bool UsePerennialProtocol { get; init; } = true;

    /// <summary>Gets the options for detecting a dead peer.</summary>
    public HeartbeatOptions Heartbeat { get => _heartbeat.Shown; init => _heartbeat = new(value); }

    /// <summary>
    /// Gets whether to offer compression (permessage-deflate, RFC 7692). Default <see langword="false"/>: if one compressed message
    /// contains both secrets and text that others control, its length can reveal the secrets.
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
        UpgradeCheck.Validate(this, "WebSocket", " (RFC 6455, 4.1)");
    }
}

/// <summary>Options for detecting a dead peer: the transport sends a ping after a silence and waits for an answer.</summary>
public sealed record HeartbeatOptions
{
    /// <summary>
    /// Gets the silence after which the transport sends a ping. Default 15 s; 10 ms to 1 h, or <see cref="Timeout.InfiniteTimeSpan"/> for
    /// no pings.
    /// </summary>
    public TimeSpan Interval { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets how long the transport waits for an answer. Any bytes are an answer. Default <see langword="null"/>: as long as
    /// <see cref="Interval"/>; 10 ms to 1 h.
    /// </summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>
    /// Gets whether to send a <c>{"type":"ping"}</c> message, and to answer one of the peer with <c>{"type":"pong"}</c>, instead of the
    /// protocol's ping frames (RFC 6455, section 5.5.2). For servers that use this convention. While the buffer is full or the transport is
    /// paused, the answer to such a ping waits behind other messages. Default <see langword="false"/>.
    /// </summary>
    public bool AsJson { get; init; }

    /// <summary>The silence after which the peer counts as dead, if pings are sent.</summary>
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
