using System.Runtime.CompilerServices;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>
/// A transport that polls: each response contains the new messages as one JSON value, an array of values, or JSON lines, and 204 means that
/// there are none yet. For networks that block streams. Sends by POST. Thread safe as described for <see cref="Transport"/>.
/// </summary>
/// <remarks>
/// The transport is connected as soon as the first response has arrived, or when the server has held the first request for half of
/// <see cref="TransportOptions.ConnectTimeout"/>, as servers do that wait for new messages. The first request asks for an immediate answer
/// with <c>Prefer: wait=0</c> (RFC 7240, section 4.3), which Perennial's server supports.
/// </remarks>
public sealed class LongPollTransport : Transport
{
    private readonly LongPollTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpExchange _http;

    /// <summary>Creates a transport with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL of the stream.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public LongPollTransport(Uri endpoint, TransportServices? services = null)
        : this(new LongPollTransportOptions { Endpoint = endpoint }, services)
    {
    }

    /// <summary>Creates a transport and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler. <see langword="null"/> uses the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
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
