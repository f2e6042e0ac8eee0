using System.Net;
using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// The HTTP requests of one transport: opens the stream as often as that is safe, posts messages, and requests a stop. Lives as long as the
/// transport.
/// </summary>
internal sealed class HttpExchange : IDisposable
{
    private readonly HttpTransportOptions _options;
    private readonly string? _accept;
    private readonly TimeProvider _time;
    private readonly HttpSender _sender;
    private readonly OpeningRequest _opening;

    public HttpExchange(HttpTransportOptions options, string? accept, TransportServices services)
    {
        _options = options;
        _accept = accept;
        _time = services.Time;
        _sender = new HttpSender(options, services);
        _opening = new OpeningRequest(options);
        Dialect = new StreamDialect(options.Classify is null ? options.Dialect : Dialects.None);
    }

    private HttpExchange(HttpExchange same, string accept)
    {
        (_options, _time, _sender, _opening, Dialect) = (same._options, same._time, same._sender, same._opening, same.Dialect);
        _accept = accept;
    }

    /// <summary>The dialect of the stream.</summary>
    public StreamDialect Dialect { get; }

    /// <inheritdoc cref="OpeningRequest.IsRead"/>
    public bool IsRead => _opening.IsRead;

    /// <summary>The URL at which another client can read the stream by GET. <see langword="null"/> if there is none.</summary>
    public Uri? ResumeEndpoint => _opening.IsRead ? _opening.Target : null;

    /// <summary>
    /// Whether a message may be posted again when its outcome is unknown. A server that speaks Perennial's protocol recognizes the
    /// message's key. For another server, such as that of <see cref="HttpTransportOptions.SendEndpoint"/>, only the caller can decide.
    /// </summary>
    public bool PostsAreRepeatable => _options.AllowReplay is true || (_options.SendEndpoint is null && _opening.SpeaksPerennial);

    /// <inheritdoc cref="OpeningRequest.CanContinue"/>
    public bool CanContinue(bool canResume) => _opening.CanContinue(canResume);

    /// <summary>
    /// The same exchange with another Accept header. It shares the state of the opening request, and is disposed with this exchange.
    /// </summary>
    public HttpExchange Accepting(string accept) => new(this, accept);

    /// <summary>Opens the stream. The response has a success status, or 101 if the request asked to upgrade; its body is unread.</summary>
    /// <param name="lastEventId">The id after which to resume, or <see langword="null"/>.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <param name="prepare">Adds the protocol's headers to the request.</param>
    /// <exception cref="TransportException">
    /// The stream could not be opened, or not without repeating a request that must not be repeated.
    /// </exception>
    public async Task<HttpResponseMessage> OpenAsync(
        string? lastEventId, CancellationToken cancellationToken, Action<HttpRequestMessage>? prepare = null)
    {
        if (!_opening.MayBeSent)
        {
            throw _opening.Interruption();
        }

        try
        {
            return await _sender.SendAsync(() => NewOpening(lastEventId, prepare), _opening, cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException e)
        {
            var judged = _opening.Judge(e);
            if (ReferenceEquals(judged, e))
            {
                throw;
            }

            throw judged;
        }
        catch (OperationCanceledException e) when (!_opening.MayBeSent)
        {
            throw _opening.Interruption(e);
        }
    }

    /// <summary>
    /// Opens the stream and creates a connection from the response. If <paramref name="connect"/> throws, the response is disposed at once.
    /// </summary>
    /// <inheritdoc cref="OpenAsync"/>
    /// <param name="context">The number of the attempt, and the id after which to resume.</param>
    /// <param name="connect">Checks the response and creates the connection that reads its body.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
    /// <param name="prepare">Adds the protocol's headers to the request.</param>
    public async ValueTask<TransportConnection> ConnectAsync(
        ConnectContext context,
        Func<HttpResponseMessage, Stream, TransportConnection> connect,
        CancellationToken cancellationToken,
        Action<HttpRequestMessage>? prepare = null)
    {
        var response = await OpenAsync(context.LastEventId, cancellationToken, prepare).ConfigureAwait(false);
        try
        {
            var connection = connect(response, await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false));
            _sender.Forget(response.RequestMessage!);
            return connection;
        }
        catch
        {
            response.Dispose();
            throw;
        }
    }

    /// <summary>Posts one message. Its key lets the server recognize a repetition.</summary>
    /// <exception cref="NotSupportedException">
    /// No URL to post to is known, because the URL that opened the stream has side effects of its own.
    /// </exception>
    public async Task PostAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        if (_options.SendEndpoint is null && !_opening.IsRead)
        {
            throw new NotSupportedException(
                $"Set {nameof(HttpTransportOptions.SendEndpoint)}: {_options.EffectiveMethod} opened this stream, and the server named no resource to post to.");
        }

        var body = new RequestBody
        {
            Content = message.Data,
            MediaType = message.Kind switch
            {
                OutgoingKind.Json => "application/json",
                OutgoingKind.Text => "text/plain; charset=utf-8",
                _ => "application/octet-stream",
            },
        };
        try
        {
            using var response =
                await _sender.SendAsync(() => NewPost(body, message.Key), opening: null, cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException e) when (e.HttpStatus is not null && !e.IsTransient)
        {
            // After a client error the server did not act (RFC 9110, section 15.5). After other errors it may have.
            throw e.AsFinal(TransportErrorCode.SendRejected, $"The server refused the message. {e.Message}")
                .With((int)e.HttpStatus < 500 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown);
        }
        catch (TransportException e) when (e.Delivery is null)
        {
            throw e.With((int?)e.HttpStatus < 500 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown);
        }
    }

    /// <summary>
    /// Requests that the server stop producing the stream. The wait for its answer has the same limit as for other requests.
    /// </summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(_options.ConnectTimeout, _time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            using var response = await _sender.SendAsync(
                () => NewRequest(HttpMethod.Delete, _opening.Target), opening: null, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TransportException(
                TransportErrorCode.ConnectTimeout,
                $"No answer to the stop request within {_options.ConnectTimeout}.",
                isTransient: true,
                e);
        }
    }

    public void Dispose() => _sender.Dispose();

    private HttpRequestMessage NewOpening(string? lastEventId, Action<HttpRequestMessage>? prepare)
    {
        var request = NewRequest(_opening.IsRead ? HttpMethod.Get : _options.EffectiveMethod, _opening.Target);
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation(WireHeaders.LastEventId, lastEventId);
        }

        if (!_opening.IsRead)
        {
            // If there were no body at all, not even an empty one, the HTTP stack would repeat the request by itself when a pooled
            // connection fails.
            request.Content = _options.Body?.ToContent() ?? new ReadOnlyMemoryContent(default);
            AddContentHeaders(request);
            IdempotencyKey.AddTo(request);
        }

        if (!request.Headers.NonValidated.Contains(WireHeaders.Protocol))
        {
            request.Headers.TryAddWithoutValidation(WireHeaders.Protocol, WireHeaders.Version);
        }

        prepare?.Invoke(request);
        return request;
    }

    private HttpRequestMessage NewPost(RequestBody body, string key)
    {
        var request = NewRequest(HttpMethod.Post, _options.SendEndpoint ?? _opening.Target);
        request.Content = body.ToContent();
        request.Headers.Remove(IdempotencyKey.HeaderName);      // a key in the caller's headers belongs to the opening request
        request.Headers.TryAddWithoutValidation(IdempotencyKey.HeaderName, IdempotencyKey.Format(key));
        return request;
    }

    private HttpRequestMessage NewRequest(HttpMethod method, Uri uri)
    {
        var request = new HttpRequestMessage(method, UserInfo.Without(uri))
        {
            Version = _options.HttpVersion ?? HttpVersion.Version11,
            VersionPolicy = _options.HttpVersion is null ? HttpVersionPolicy.RequestVersionOrHigher : HttpVersionPolicy.RequestVersionExact,
        };
        if (_accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", _accept);
        }

        request.Headers.TryAddWithoutValidation("Cache-Control", "no-cache");
        if ((UserInfo.BasicCredentials(uri) ?? (Redirects.IsSameOrigin(uri, _options.Endpoint) ? UserInfo.BasicCredentials(_options.Endpoint) : null)) is { } basic)
        {
            request.Headers.TryAddWithoutValidation("Authorization", basic);
        }

        foreach (var (name, value) in _options.Headers)
        {
            // Checked first, because removing a content header from a collection that cannot contain it throws.
            if (request.Headers.NonValidated.Contains(name))
            {
                request.Headers.Remove(name);
            }

            request.Headers.TryAddWithoutValidation(name, value);
        }

        return request;
    }

    /// <summary>Adds the caller's headers that describe a body: those that the request's own header collection did not accept.</summary>
    private void AddContentHeaders(HttpRequestMessage request)
    {
        var content = request.Content!.Headers;
        foreach (var (name, value) in _options.Headers.Where(header => !request.Headers.NonValidated.Contains(header.Key)))
        {
            content.Remove(name);
            content.TryAddWithoutValidation(name, value);
        }
    }
}
