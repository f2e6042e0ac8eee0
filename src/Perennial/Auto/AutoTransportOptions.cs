using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Auto;

/// <summary>Options for <see cref="AutoTransport"/>. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record AutoTransportOptions : HttpTransportOptions
{
    /// <summary>
    /// Gets the protocols to try, in order. Default: WebSocket, SSE, HTTP stream, long polling. With a method other than GET, WebSocket is
    /// not used, and long polling only after the server has named a resource to read.
    /// </summary>
    public IReadOnlyList<AutoProtocol> Order { get; init; } =
        [AutoProtocol.WebSocket, AutoProtocol.Sse, AutoProtocol.HttpStream, AutoProtocol.LongPoll];

    /// <summary>
    /// Gets how long a protocol may take to be accepted and, if the server promises to send at once (docs/protocol.md), to deliver its
    /// first byte. Default 5 s; 1 ms to 1 h. The time is shortened so that all protocols can be tried within
    /// <see cref="TransportOptions.ConnectTimeout"/>. It does not apply to the last protocol, and not to a request with side effects, after
    /// which no other protocol is tried.
    /// </summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the memory of which protocol got through to which origin. Default <see cref="Auto.ProtocolMemory.Shared"/>.</summary>
    public ProtocolMemory ProtocolMemory { get; init; } = ProtocolMemory.Shared;

    /// <summary>Gets the options for WebSockets.</summary>
    public AutoWebSocketOptions WebSocket { get; init; } = new();

    /// <inheritdoc cref="LongPollTransportOptions.Interval"/>
    public TimeSpan LongPollInterval { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <inheritdoc cref="HttpStreamTransportOptions.AllowPlainText"/>
    public bool AllowPlainText { get; init; }

    /// <inheritdoc/>
    public override void Validate()
    {
        base.Validate();
        OptionCheck.Require(
            OptionCheck.NotNull(Order, nameof(Order)).Count > 0 && Order.Distinct().Count() == Order.Count,
            nameof(Order),
            $"{nameof(Order)} must contain at least one protocol and no protocol twice.");
        foreach (var protocol in Order)
        {
            OptionCheck.Defined(protocol, nameof(Order));
        }

        OptionCheck.Require(
            EffectiveMethod == HttpMethod.Get || Order.Any(static protocol => protocol is AutoProtocol.Sse or AutoProtocol.HttpStream),
            nameof(Order),
            $"{nameof(Order)} must contain {AutoProtocol.Sse} or {AutoProtocol.HttpStream}, "
            + "because the other protocols require GET without a Body.");
        OptionCheck.Range(AttemptTimeout, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), nameof(AttemptTimeout));
        OptionCheck.NotNull(ProtocolMemory, nameof(ProtocolMemory));
        OptionCheck.NotNull(WebSocket, nameof(WebSocket));
        OptionCheck.Require(
            WebSocket.AllowPlain || WebSocket.UsePerennialProtocol || !Order.Contains(AutoProtocol.WebSocket),
            nameof(WebSocket),
            $"{nameof(WebSocket)} must use perennial.v1 ({nameof(WebSocket.UsePerennialProtocol)}) or allow WebSockets without it ({nameof(WebSocket.AllowPlain)}).");
        ForWebSocket().Validate();
        if (Order.Contains(AutoProtocol.LongPoll))
        {
            ForLongPoll().Validate();
        }
    }

    internal SseTransportOptions ForSse() => new(this);

    internal HttpStreamTransportOptions ForHttpStream() => new(this) { AllowPlainText = AllowPlainText };

    internal LongPollTransportOptions ForLongPoll() => new(this) { Method = null, Body = null, Interval = LongPollInterval };

    internal WebSocketTransportOptions ForWebSocket() => new(this)
    {
        Method = null,
        Body = null,
        SendEndpoint = null,
        HttpVersion = null,
        SubProtocols = WebSocket.SubProtocols,
        UsePerennialProtocol = WebSocket.UsePerennialProtocol,
        Heartbeat = WebSocket.Heartbeat,
        Compression = WebSocket.Compression,
    };
}

/// <summary>Options of <see cref="AutoTransport"/> that apply only to WebSockets.</summary>
public sealed record AutoWebSocketOptions
{
    /// <summary>
    /// Gets whether a WebSocket without <c>perennial.v1</c> is accepted. Default <see langword="false"/>: many servers accept a WebSocket
    /// at every path, so a successful handshake does not prove that the WebSocket belongs to the stream at this URL.
    /// </summary>
    public bool AllowPlain { get; init; }

    /// <inheritdoc cref="WebSocketTransportOptions.SubProtocols"/>
    public IReadOnlyList<string> SubProtocols { get; init; } = [];

    /// <inheritdoc cref="WebSocketTransportOptions.UsePerennialProtocol"/>
    public bool UsePerennialProtocol { get; init; } = true;

    /// <inheritdoc cref="WebSocketTransportOptions.Heartbeat"/>
    public HeartbeatOptions Heartbeat { get; init; } = new();

    /// <inheritdoc cref="WebSocketTransportOptions.Compression"/>
    public bool Compression { get; init; }
}
