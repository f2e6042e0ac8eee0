using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>
/// A transport that reads and sends text and binary messages over a WebSocket (RFC 6455). Thread safe as described for
/// <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// The transport answers the peer's pings even while the application does not read messages, but only if the pings are not behind unread
/// data: while the buffer is full or the transport is paused, everything after that data waits. The same applies to the server's answers to
/// sent messages and to <see cref="Transport.StopAsync"/>. Wait for these only while the messages are being read.
/// </remarks>
public sealed class WebSocketTransport : Transport
{
    private readonly WebSocketTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;
    private readonly bool _usesSocketScheme;

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public WebSocketTransport(Uri endpoint, TransportServices? services = null)
        : this(new WebSocketTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public WebSocketTransport(WebSocketTransportOptions options, TransportServices? services = null)
        : base("websocket", options, services)
    {
        _options = options;
        _time = (services ?? TransportServices.Default).Time;
        _usesSocketScheme = services?.HttpHandler is null;
        _http = new HttpExchange(options, accept: null, services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        var handshake = new WebSocketHandshake(_options, _usesSocketScheme);
        return _http.ConnectAsync(
            context,
            (response, stream) => NewConnection(response, stream, handshake.Accept(response)),
            cancellationToken,
            handshake.Prepare);
    }

    /// <inheritdoc/>
    protected override async ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        await base.DisposeCoreAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Creates the connection. A selected subprotocol is not sufficient proof of perennial.v1, because some servers select the first one
    /// offered.
    /// </summary>
    private WebSocketConnection NewConnection(HttpResponseMessage response, Stream stream, WebSocketCreationOptions creation)
    {
        var settings = new SocketSettings(new WebSocketFraming(creation), _options, _options.HeartbeatRules, _time);
        return _options.UsePerennialProtocol && creation.SubProtocol is WireHeaders.SubProtocol && ProtocolHeaders.SpeaksPerennial(response)
            ? new PerennialConnection(stream, settings, ProtocolHeaders.Heartbeat(response))
            : new PlainConnection(stream, settings);
    }
}
