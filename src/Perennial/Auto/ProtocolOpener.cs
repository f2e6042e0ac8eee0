using System.Net;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;
using Perennial.Wire;

namespace Perennial.Auto;

/// <summary>
/// Opens connections to one endpoint over each of the protocols. The HTTP protocols share the state of the opening request, so that a
/// request with side effects is sent once, whichever protocol the server chooses.
/// </summary>
internal sealed class ProtocolOpener : IAsyncDisposable
{
    private readonly AutoTransportOptions _options;
    private readonly TransportServices _services;
    private readonly HttpExchange _http;
    private WebSocketTransport? _webSocket;     // created at the first attempt

    public ProtocolOpener(AutoTransportOptions options, TransportServices services)
    {
        _options = options;
        _services = services;
        _http = new HttpExchange(options, accept: null, services);
    }

    /// <inheritdoc cref="OpeningRequest.IsRead"/>
    public bool IsRead => _http.IsRead;

    /// <summary>Whether a WebSocket without <c>perennial.v1</c> is accepted.</summary>
    public bool AllowsPlainWebSocket => _options.WebSocket.AllowPlain;

    /// <summary>Whether the protocol can carry the request. A WebSocket handshake and a poll must be a GET without a body.</summary>
    public bool CanOpen(AutoProtocol protocol) => protocol switch
    {
        AutoProtocol.WebSocket => _options.EffectiveMethod == HttpMethod.Get,
        AutoProtocol.LongPoll => _http.IsRead,
        _ => true,
    };

    /// <summary>Opens one connection with one request.</summary>
    /// <param name="asked">
    /// The protocol to request; or SSE and HTTP stream, the preferred one first, of which the server chooses one.
    /// </param>
    /// <param name="context">The number of the attempt, and the id after which to resume.</param>
    /// <param name="trustAfter">How long the server may hold a poll before the poll counts as accepted.</param>
    /// <param name="cancellationToken">Cancels the attempt.</param>
    public async ValueTask<(AutoProtocol Protocol, TransportConnection Connection)> OpenAsync(
        IReadOnlyList<AutoProtocol> asked, ConnectContext context, TimeSpan trustAfter, CancellationToken cancellationToken)
    {
        if (asked[0] == AutoProtocol.WebSocket)
        {
            _webSocket ??= new WebSocketTransport(_options.ForWebSocket(), _services);
            return (asked[0], await _webSocket.OpenForAsync(context, cancellationToken).ConfigureAwait(false));
        }

        var connection = asked[0] == AutoProtocol.LongPoll
            ? await OpenPollAsync(context, trustAfter, cancellationToken).ConfigureAwait(false)
            : await OpenStreamAsync(asked, context, cancellationToken).ConfigureAwait(false);
        return (ProtocolOf(connection) ?? asked[0], connection);
    }

    /// <summary>The protocol of a connection. <see langword="null"/> until the first bytes determine it.</summary>
    public static AutoProtocol? ProtocolOf(TransportConnection connection) => connection switch
    {
        SseConnection => AutoProtocol.Sse,
        HttpStreamConnection => AutoProtocol.HttpStream,
        LongPollConnection => AutoProtocol.LongPoll,
        SniffedConnection { Recognized: { } recognized } => ProtocolOf(recognized),
        _ => null,
    };

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        if (_webSocket is not null)
        {
            await _webSocket.DisposeAsync().ConfigureAwait(false);
        }
    }

    private ValueTask<TransportConnection> OpenStreamAsync(
        IReadOnlyList<AutoProtocol> asked, ConnectContext context, CancellationToken cancellationToken)
    {
        var types = asked.Select(static protocol => protocol == AutoProtocol.Sse ? MediaTypes.EventStream : MediaTypes.JsonLines);
        var http = _http.Accepting(string.Join(", ", types.Select(static (type, place) => place == 0 ? type : $"{type};q=0.9")));
        return http.ConnectAsync(context, (response, body) => Connect(asked, response, body, http, context), cancellationToken);
    }

    private ResponseConnection Connect(
        IReadOnlyList<AutoProtocol> asked, HttpResponseMessage response, Stream body, HttpExchange http, ConnectContext context)
    {
        var mediaType = ProtocolHeaders.MediaType(response);
        var isSse = response.StatusCode == HttpStatusCode.NoContent
            || string.Equals(mediaType, MediaTypes.EventStream, StringComparison.OrdinalIgnoreCase);
        if (asked.Contains(AutoProtocol.Sse) && (isSse || asked.Count == 1))
        {
            return SseConnection.For(response, body, http, _options.ForSse(), context);
        }

        JsonContent.ThrowIfOther(response);
        if (JsonContent.IsDocument(response) && _options.Order.Contains(AutoProtocol.LongPoll) && CanOpen(AutoProtocol.LongPoll))
        {
            throw new TransportException(
                TransportErrorCode.UnexpectedContentType,
                $"The server answered with {mediaType}, which is a single document, not a stream of JSON lines.");
        }

        return HttpStreamConnection.For(response, body, http, _options.ForHttpStream(), context);
    }

    private async ValueTask<TransportConnection> OpenPollAsync(
        ConnectContext context, TimeSpan trustAfter, CancellationToken cancellationToken)
    {
        var http = _http.Accepting("application/x-ndjson, application/json");
        var connection = new LongPollConnection(http, _options.ForLongPoll(), context.LastEventId, _services.Time);
        try
        {
            await connection.WaitForFirstAnswerAsync(trustAfter, cancellationToken).ConfigureAwait(false);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }
}
