using System.Net;

namespace Perennial.Http;

/// <summary>
/// The HTTP side of one transport: makes requests, follows redirects without taking credentials along, and knows whether the request
/// that opens the stream may be made again. Lives as long as the transport.
/// </summary>
internal sealed class HttpExchange : IDisposable
{
    private const int MaxRedirects = 10;

    private readonly HttpTransportOptions _options;
    private readonly string _accept;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;
    private volatile Uri? _resource;        // what the response to a request with side effects named as the stream
    private bool _mayHaveActed;             // the server may have acted on the opening request; written while opening

    public HttpExchange(HttpTransportOptions options, string accept, TransportServices services)
    {
        _options = options;
        _accept = accept;
        _time = services.Time;
        var (handler, isOwned) = services.HttpHandler is { } given ? (given, false) : HttpHandlers.For(options.Http);
        _http = new HttpMessageInvoker(handler, isOwned);
    }

    /// <summary>
    /// Whether the stream can go on over a new request after response headers arrived: by GET always; else by GET at the resource
    /// the response named; else by repeating, where the caller allowed it and nothing would be handed out twice.
    /// </summary>
    public bool CanContinue(bool canResume) => IsGet || _resource is not null || (_options.AllowReplay && canResume);

    private bool IsGet => _options.EffectiveMethod == HttpMethod.Get;

    private Uri Resource => _resource ?? _options.Endpoint;

    /// <summary>Opens the stream: the response has a success status, its body is unread.</summary>
    public async Task<HttpResponseMessage> OpenAsync(string? lastEventId, CancellationToken cancellationToken)
    {
        var isOpening = !IsGet && _resource is null;
        if (isOpening && _mayHaveActed && !_options.AllowReplay)
        {
            throw new TransportException(
                TransportErrorCode.Interrupted, $"The {_options.EffectiveMethod} was sent before and must not be repeated. Set AllowReplay to allow it.");
        }

        try
        {
            _mayHaveActed |= isOpening;
            var response = await SendAsync(
                () => isOpening ? NewRequest(_options.EffectiveMethod, _options.Endpoint, lastEventId) : NewRequest(HttpMethod.Get, Resource, lastEventId),
                cancellationToken).ConfigureAwait(false);
            if (isOpening)
            {
                _resource = SameOriginContentLocation(response);
            }

            return response;
        }
        catch (TransportException e) when (isOpening && HttpErrors.WasNotProcessed(e))
        {
            _mayHaveActed = false;
            throw;
        }
        catch (TransportException e) when (isOpening && e.IsTransient && !_options.AllowReplay)
        {
            throw e.HttpStatus is null
                ? e.AsFinal(TransportErrorCode.Interrupted, $"Interrupted: the {_options.EffectiveMethod} must not be repeated. {e.Message}")
                : e.AsFinal(e.Code, e.Message);
        }
        catch (OperationCanceledException e) when (isOpening && !_options.AllowReplay)
        {
            throw new TransportException(
                TransportErrorCode.Interrupted, $"Interrupted: no answer to the {_options.EffectiveMethod}, which must not be repeated.", innerException: e);
        }
    }

    /// <summary>Posts one message, named by its key so that the server can recognise a repetition.</summary>
    public async Task PostAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        var body = new RequestBody(message.Data, message.Kind switch
        {
            OutgoingKind.Json => "application/json",
            OutgoingKind.Text => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        });
        try
        {
            using var response = await SendAsync(() => NewPost(body, message.Key), cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException e) when (e.HttpStatus is not null && !e.IsTransient)
        {
            throw new TransportException(TransportErrorCode.SendRejected, $"The message was refused. {e.Message}", false, e)
            {
                HttpStatus = e.HttpStatus,
                Delivery = DeliveryStatus.NotSent,
            };
        }
        catch (TransportException e) when (e.Delivery is null)
        {
            throw new TransportException(e.Code, e.Message, e.IsTransient, e)
            {
                HttpStatus = e.HttpStatus,
                RetryAfter = e.RetryAfter,
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    /// <summary>Asks the server to stop producing the stream.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var response = await SendAsync(() => NewRequest(HttpMethod.Delete, Resource, lastEventId: null), cancellationToken).ConfigureAwait(false);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>Sends a request, after a 401 once more with fresh credentials, and returns a response with a success status.</summary>
    private async Task<HttpResponseMessage> SendAsync(Func<HttpRequestMessage> newRequest, CancellationToken cancellationToken)
    {
        var response = await SendOnceAsync(newRequest(), cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized && _options.ConfigureRequest is not null)
        {
            response.Dispose();
            var again = newRequest();
            again.Options.Set(HttpTransportOptions.CredentialsRejected, true);
            response = await SendOnceAsync(again, cancellationToken).ConfigureAwait(false);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            throw HttpErrors.FromStatus(response, _options.Reconnect, _time);
        }
    }

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        await ConfigureAsync(request, cancellationToken).ConfigureAwait(false);
        for (var redirects = 0; ; redirects++)
        {
            HttpResponseMessage response;
            try
            {
                response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            }
            catch (HttpRequestException e)
            {
                throw HttpErrors.FromRequest(e, request.RequestUri!);
            }

            if (!IsRedirect(response.StatusCode))
            {
                return response;
            }

            using (response)
            {
                request = redirects < MaxRedirects
                    ? Redirected(request, response)
                    : throw new TransportException(TransportErrorCode.RedirectRefused, $"More than {MaxRedirects} redirects.");
            }
        }
    }

    private async ValueTask ConfigureAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (_options.ConfigureRequest is not { } configure)
        {
            return;
        }

        try
        {
            await configure(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or IOException or TimeoutException)
        {
            throw new TransportException(TransportErrorCode.ConnectFailed, $"ConfigureRequest failed ({e.GetType().Name}).", isTransient: true, e)
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            throw new TransportException(TransportErrorCode.Unexpected, $"ConfigureRequest failed ({e.GetType().Name}).", isTransient: false, e)
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }
    }

    private HttpRequestMessage NewRequest(HttpMethod method, Uri uri, string? lastEventId)
    {
        var request = NewBareRequest(method, uri, lastEventId);
        if (method == _options.EffectiveMethod && method != HttpMethod.Get)
        {
            request.Content = _options.Body?.ToContent();
        }

        AddHeaders(request);
        return request;
    }

    private HttpRequestMessage NewPost(RequestBody body, string key)
    {
        var request = NewBareRequest(HttpMethod.Post, _options.SendEndpoint ?? Resource, lastEventId: null);
        request.Content = body.ToContent();
        AddHeaders(request, exceptContentHeaders: true);
        // A structured-field string (draft-ietf-httpapi-idempotency-key-header, 2.1).
        request.Headers.TryAddWithoutValidation("Idempotency-Key", $"\"{key}\"");
        return request;
    }

    private void AddHeaders(HttpRequestMessage request, bool exceptContentHeaders = false)
    {
        foreach (var (name, value) in _options.Headers)
        {
            // Asked first: removing a content header from where it cannot be throws.
            if (request.Headers.NonValidated.Contains(name))
            {
                request.Headers.Remove(name);
            }

            if (!request.Headers.TryAddWithoutValidation(name, value) && !exceptContentHeaders && request.Content is { } content)
            {
                content.Headers.Remove(name);
                content.Headers.TryAddWithoutValidation(name, value);
            }
        }
    }

    private HttpRequestMessage NewBareRequest(HttpMethod method, Uri uri, string? lastEventId)
    {
        var request = new HttpRequestMessage(method, uri)
        {
            Version = _options.HttpVersion ?? HttpVersion.Version11,
            VersionPolicy = _options.HttpVersion is null ? HttpVersionPolicy.RequestVersionOrHigher : HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.TryAddWithoutValidation("Accept", _accept);
        request.Headers.TryAddWithoutValidation("Cache-Control", "no-cache");
        if (lastEventId is not null)
        {
            request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        }

        return request;
    }

    /// <summary>
    /// The request a redirect asks for (RFC 9110, 15.4). At the same origin it keeps every header; elsewhere only those that carry
    /// neither credentials nor anything else the caller set.
    /// </summary>
    private HttpRequestMessage Redirected(HttpRequestMessage request, HttpResponseMessage response)
    {
        var from = request.RequestUri!;
        if (response.Headers.Location is not { } location || !Uri.TryCreate(from, location, out var target) || target.Scheme is not ("http" or "https"))
        {
            throw new TransportException(TransportErrorCode.RedirectRefused, "A redirect does not lead to an HTTP resource.");
        }

        if (IsHttps(from) && !IsHttps(target))
        {
            throw new TransportException(TransportErrorCode.RedirectRefused, "A redirect would leave https.");
        }

        var becomesGet = response.StatusCode is HttpStatusCode.Moved or HttpStatusCode.Found or HttpStatusCode.SeeOther;
        var method = becomesGet && request.Method != HttpMethod.Head ? HttpMethod.Get : request.Method;
        var redirected = NewBareRequest(method, target, lastEventId: null);
        redirected.Content = method == request.Method ? request.Content : null;
        var staysAtHome = IsSameOrigin(from, target);
        foreach (var (name, value) in request.Headers.NonValidated)
        {
            if (staysAtHome || name is "Last-Event-ID" or "User-Agent" or "Idempotency-Key")
            {
                redirected.Headers.Remove(name);
                redirected.Headers.TryAddWithoutValidation(name, (IEnumerable<string>)value);
            }
        }

        return redirected;
    }

    private static Uri? SameOriginContentLocation(HttpResponseMessage response)
    {
        var origin = response.RequestMessage!.RequestUri!;
        return response.Content.Headers.ContentLocation is { } location
            && Uri.TryCreate(origin, location, out var resource)
            && IsSameOrigin(origin, resource)
                ? resource
                : null;
    }

    private static bool IsSameOrigin(Uri left, Uri right) =>
        Uri.Compare(left, right, UriComponents.SchemeAndServer, UriFormat.Unescaped, StringComparison.OrdinalIgnoreCase) == 0;

    private static bool IsHttps(Uri uri) => string.Equals(uri.Scheme, Uri.UriSchemeHttps, StringComparison.Ordinal);

    private static bool IsRedirect(HttpStatusCode status) => status is HttpStatusCode.Moved or HttpStatusCode.Found
        or HttpStatusCode.SeeOther or HttpStatusCode.TemporaryRedirect or HttpStatusCode.PermanentRedirect;
}
