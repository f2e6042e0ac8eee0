using System.Runtime.CompilerServices;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>
/// A transport that reads a response body as it arrives, as JSON lines or as raw chunks. Opens it by GET or by another method with a body,
/// and sends by POST. Thread safe as described for <see cref="Transport"/>.
/// </summary>
public sealed class HttpStreamTransport : Transport
{
    private readonly HttpStreamTransportOptions _options;
    private readonly HttpExchange _http;

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public HttpStreamTransport(Uri endpoint, TransportServices? services = null)
        : this(new HttpStreamTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public HttpStreamTransport(HttpStreamTransportOptions options, TransportServices? services = null)
        : base("http-stream", options, services)
    {
        _options = options;
        var accept = options.Framing == StreamFraming.Ndjson ? "application/x-ndjson, application/json;q=0.9" : "*/*";
        _http = new HttpExchange(options, accept, services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken) =>
        _http.ConnectAsync(
        context,
        (response, body) => HttpStreamConnection.For(response, body, _http, _options, context),
        cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        return base.DisposeCoreAsync();
    }
}
