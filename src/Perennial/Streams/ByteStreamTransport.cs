using System.Net;
using System.Runtime.CompilerServices;
using Perennial.Http;
using Perennial.WebSockets;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>
/// A transport that reads and sends <c>perennial.v1</c> over a stream of bytes: TCP, TLS, a Unix socket, or any <see cref="Stream"/>.
/// Events are numbered and sends are acknowledged, so each arrives once and in order over any number of connections. Thread safe as
/// described for <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// A connection begins as an HTTP/1.1 request that upgrades to <c>perennial.v1</c> (docs/protocol.md), so any endpoint of a Perennial
/// server answers it, with the same access rules as other requests. Answers to sent messages and to <see cref="Transport.StopAsync"/> wait
/// behind unread data, as over a WebSocket.
/// </remarks>
public sealed class ByteStreamTransport : Transport
{
    private readonly ByteStreamTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;
    private readonly HttpMessageHandler? _own;      // null if the transport uses the shared handler or the caller's
    private readonly bool _usesSocketScheme;

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream, such as <c>tcp://host:port/path</c> or <c>unix:/file:/path</c>.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public ByteStreamTransport(Uri endpoint, TransportServices? services = null)
        : this(new ByteStreamTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">
    /// An option is missing, malformed or out of range; the message names it. Or the services have an HTTP handler although the endpoint is
    /// a Unix socket or <see cref="ByteStreamTransportOptions.Connect"/> is set.
    /// </exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public ByteStreamTransport(ByteStreamTransportOptions options, TransportServices? services = null)
        : base("byte-stream", options, services)
    {
        _options = options;
        services ??= TransportServices.Default;
        _time = services.Time;
        if (ByteStreamOpener.For(options) is { } opener)
        {
            OptionCheck.Require(
                services.HttpHandler is null,
                nameof(TransportServices.HttpHandler),
                "An HTTP handler cannot be used with a Unix socket or with Connect, because it would open the connections.");
            var handler = HttpHandlers.Create(options.HttpRules, options.Endpoint);
            handler.UseProxy = false;
            handler.ConnectCallback = (_, cancellationToken) => opener.OpenAsync(cancellationToken);
            services = services with { HttpHandler = _own = handler };
        }

        _usesSocketScheme = services.HttpHandler is null;
        _http = new HttpExchange(options, accept: null, services);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken) =>
        _http.ConnectAsync(context, NewConnection, cancellationToken, Prepare);

    /// <inheritdoc/>
    protected override async ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        _own?.Dispose();
        await base.DisposeCoreAsync().ConfigureAwait(false);
    }

    private void Prepare(HttpRequestMessage request)
    {
        var url = request.RequestUri!;
        // The platform's HTTP stack opens a tunnel through a proxy for the schemes of WebSockets.
        var scheme = (url.Scheme is "tls", _usesSocketScheme) switch
        {
            (true, true) => "wss",
            (true, false) => "https",
            (false, true) => "ws",
            _ => "http",
        };
        request.RequestUri = UnixSocketUrl.TryRead(url, out var socket)
            ? new Uri($"http://localhost{socket.Target}")
            : GivenUrl.With(url, scheme);
        request.Version = HttpVersion.Version11;
        request.VersionPolicy = HttpVersionPolicy.RequestVersionExact;
        request.Headers.TryAddWithoutValidation("Connection", "Upgrade");
        request.Headers.TryAddWithoutValidation("Upgrade", WireHeaders.SubProtocol);
    }

    private PerennialConnection NewConnection(HttpResponseMessage response, Stream stream)
    {
        if (response.StatusCode != HttpStatusCode.SwitchingProtocols
            || !response.Headers.NonValidated.TryGetValues("Upgrade", out var upgrade)
            || !string.Equals(upgrade.ToString(), WireHeaders.SubProtocol, StringComparison.OrdinalIgnoreCase))
        {
            throw new TransportException(
                TransportErrorCode.ProtocolViolation,
                $"The server does not offer {WireHeaders.SubProtocol} over a byte stream: it answered {(int)response.StatusCode}.");
        }

        var settings = new SocketSettings(LengthFraming.Instance, _options, _options.HeartbeatRules, _time);
        return new PerennialConnection(stream, settings, ProtocolHeaders.Heartbeat(response));
    }
}
