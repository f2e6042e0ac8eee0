using System.Runtime.CompilerServices;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Sse;

/// <summary>
/// A transport that reads server-sent events (HTML standard, section 9.2) over HTTP/1.1 or HTTP/2. Opens the stream by GET or by another
/// method with a body, and sends by POST. Thread safe as described for <see cref="Transport"/>.
/// </summary>
/// <example>
/// <code>
/// await using var transport = new SseTransport(new SseTransportOptions { Endpoint = new Uri("https://example.com/stream") });
/// await foreach (StreamMessage message in transport.ReadAllAsync())
/// {
///     Console.Write(message.Text);
/// }
/// </code>
/// </example>
public sealed class SseTransport : Transport
{
    private readonly SseTransportOptions _options;
    private readonly HttpExchange _http;

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public SseTransport(Uri endpoint, TransportServices? services = null)
        : this(new SseTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public SseTransport(SseTransportOptions options, TransportServices? services = null)
        : base("sse", options, services)
    {
        _options = options;
        _http = new HttpExchange(options, MediaTypes.EventStream, services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken) =>
        _http.ConnectAsync(context, (response, body) => SseConnection.For(response, body, _http, _options, context), cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        return base.DisposeCoreAsync();
    }
}
