using System.Runtime.CompilerServices;
using Perennial.Http;
using Perennial.Wire;

namespace Perennial.Sse;

/// <summary>
/// Reads server-sent events (HTML standard, 9.2) over HTTP/1.1 or HTTP/2, by GET or by any other method with a body, and sends by POST.
/// Thread safe as <see cref="Transport"/> says.
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

    /// <summary>Creates a transport with default options; connects nothing.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or of another scheme.</exception>
    public SseTransport(Uri endpoint, TransportServices? services = null)
        : this(new SseTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Checks the options; connects nothing.</summary>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs and network; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // new() means options
    public SseTransport(SseTransportOptions options, TransportServices? services = null)
        : base("sse", options, services)
    {
        _options = options;
        _http = new HttpExchange(options, MediaTypes.EventStream, services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken) => _http.ConnectAsync(
        context,
        (response, body) => SseConnection.For(response, body, _http, _options, context),
        cancellationToken);

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        return base.DisposeCoreAsync();
    }
}
