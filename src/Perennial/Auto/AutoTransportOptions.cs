using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Auto;

/// <summary>What an <see cref="AutoTransport"/> can be told. Only <see cref="TransportOptions.Endpoint"/> has no default.</summary>
public sealed record AutoTransportOptions : HttpTransportOptions
{
    /// <summary>
    /// The protocols to try, the preferred one first. Default all: WebSocket, SSE, HTTP stream, long polling. With a method other than
    /// GET, WebSocket is left out, and so is long polling until the server has named a resource to read.
    /// </summary>
    public IReadOnlyList<AutoProtocol> Order { get; init; } =
        [AutoProtocol.WebSocket, AutoProtocol.Sse, AutoProtocol.HttpStream, AutoProtocol.LongPoll];

    /// <summary>
    /// How long a protocol that others follow may take to be accepted and, where the server promises to speak at once (docs/protocol.md),
    /// to be heard. Default 5 s; 1 ms to 1 h. It is shortened so that all have their turn within
    /// <see cref="TransportOptions.ConnectTimeout"/>. A request with side effects is given all of that, since no other follows it.
    /// </summary>
    public TimeSpan AttemptTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Which protocol got through to which origin. Default <see cref="Auto.ProtocolMemory.Shared"/>.</summary>
    public ProtocolMemory ProtocolMemory { get; init; } = ProtocolMemory.Shared;

    /// <summary>What concerns WebSockets alone.</summary>
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
            $"{nameof(Order)} must name at least one protocol, and none twice.");
        foreach (var protocol in Order)
        {
            OptionCheck.Defined(protocol, nameof(Order));
        }

        OptionCheck.Require(
            EffectiveMethod == HttpMethod.Get || Order.Any(static protocol => protocol is AutoProtocol.Sse or AutoProtocol.HttpStream),
            nameof(Order),
            $"{nameof(Order)} must name {AutoProtocol.Sse} or {AutoProtocol.HttpStream}: the others are opened by GET without a Body.");
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

/// <summary>What an <see cref="AutoTransport"/> is told about WebSockets alone.</summary>
public sealed record AutoWebSocketOptions
{
    /// <summary>
    /// Whether a WebSocket without <c>perennial.v1</c> counts as well. Default <see langword="false"/>: many servers accept a WebSocket at
    /// every path, so that one which merely connects may have nothing to do with the stream at this URL.
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
