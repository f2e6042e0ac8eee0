using System.Runtime.CompilerServices;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>
/// Asks again and again: each response holds what is new, as one JSON value, an array of them, or JSON lines; 204 means nothing yet. For
/// networks that let no stream through. Sends by POST. Thread safe as <see cref="Transport"/> says.
/// </summary>
/// <remarks>
/// There is no connection to establish: the transport counts as connected once the first response has come, or when the server has
/// held the first request for half of <see cref="TransportOptions.ConnectTimeout"/>, as servers do that wait for news. The first request
/// asks for an answer at once by <c>Prefer: wait=0</c> (RFC 7240, 4.3), which Perennial's server heeds.
/// </remarks>
public sealed class LongPollTransport : Transport
{
    private readonly LongPollTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;

    /// <summary>Creates a transport with default options; connects nothing.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or of another scheme.</exception>
    public LongPollTransport(Uri endpoint, TransportServices? services = null)
        : this(new LongPollTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Checks the options; connects nothing.</summary>
    /// <param name="options">What this transport is told.</param>
    /// <param name="services">Clock, chance, logs and network; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // new() means options
    public LongPollTransport(LongPollTransportOptions options, TransportServices? services = null)
        : base("long-poll", options, services)
    {
        _options = options;
        _time = (services ?? TransportServices.Default).Time;
        _http = new HttpExchange(options, "application/x-ndjson, application/json", services ?? TransportServices.Default);
    }

    /// <inheritdoc/>
    protected override async ValueTask<TransportConnection> OpenAsync(ConnectContext context, CancellationToken cancellationToken)
    {
        var connection = new LongPollConnection(_http, _options, context.LastEventId, _time);
        try
        {
            await connection.WaitForFirstAnswerAsync(_options.ConnectTimeout / 2, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <inheritdoc/>
    protected override ValueTask DisposeCoreAsync()
    {
        _http.Dispose();
        return base.DisposeCoreAsync();
    }
}
