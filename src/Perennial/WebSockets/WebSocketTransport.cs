using System.Net.WebSockets;
using System.Runtime.CompilerServices;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>
/// Reads and sends messages over a WebSocket (RFC 6455), text and binary. Thread safe as <see cref="Transport"/> says.
/// </summary>
/// <remarks>
/// Pings of the peer are answered while nobody reads, as far as the order of TCP allows: a ping behind data that nobody has taken waits
/// with it, for a full buffer or a pause holds back everything that comes after. So it is for the server's answers to what is sent, and
/// to <see cref="Transport.StopAsync"/>: wait for these only while the messages are being read.
/// </remarks>
public sealed class WebSocketTransport : Transport
{
    private readonly WebSocketTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;
    private readonly bool _usesSocketScheme;

    /// <summary>Creates a transport with default options; connects nothing.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or of another scheme.</exception>
    public WebSocketTransport(Uri endpoint, TransportServices? services = null)
        : this(new WebSocketTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Checks the options; connects nothing.</summary>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs and network; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // new() means options
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

    /// <summary>A selected subprotocol alone proves little: some servers select whatever is offered first.</summary>
    private WebSocketConnection NewConnection(HttpResponseMessage response, Stream stream, WebSocketCreationOptions creation) =>
        _options.UsePerennialProtocol && creation.SubProtocol is WireHeaders.SubProtocol && ProtocolHeaders.SpeaksPerennial(response)
            ? new PerennialConnection(stream, creation, ProtocolHeaders.Heartbeat(response), _options, _time)
            : new PlainConnection(stream, creation, _options, _time);
}
