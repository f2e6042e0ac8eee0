using Perennial.Http;

namespace Perennial.WebSockets;

/// <summary>
/// Reads and sends messages over a WebSocket (RFC 6455), text and binary. Thread safe as <see cref="Transport"/> says.
/// </summary>
/// <remarks>
/// Pings of the peer are answered while nobody reads, as far as the order of TCP allows: a ping behind data that nobody has taken waits
/// with it, for a full buffer or a pause holds back everything that comes after.
/// </remarks>
public sealed class WebSocketTransport : Transport
{
    private readonly WebSocketTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;

    /// <summary>Checks the options; connects nothing.</summary>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs and network; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    public WebSocketTransport(WebSocketTransportOptions options, TransportServices? services = null)
        : base("websocket", options, services)
    {
        _options = options;
        _time = (services ?? TransportServices.Default).Time;
        _http = new HttpExchange(options, accept: null, services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        var handshake = new WebSocketHandshake(_options);
        return _http.ConnectAsync(
            context,
            (response, stream) => new WebSocketConnection(stream, handshake.Accept(response), _options, _time),
            cancellationToken,
            handshake.Prepare);
    }

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        return base.DisposeCoreAsync();
    }
}
