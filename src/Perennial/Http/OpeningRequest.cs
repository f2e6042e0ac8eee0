using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// The state of the request that opens a stream, which decides whether it may be sent again. A request with side effects is sent once,
/// unless it certainly had no effect or the caller allowed repetition. If the server named the stream as a resource, later requests read
/// that resource. Records one opening at a time. Lives as long as the transport.
/// </summary>
/// <param name="options">The transport's options.</param>
internal sealed class OpeningRequest(HttpTransportOptions options)
{
    private string? _key;                   // the value sent with the first request; null if the caller removed it
    private bool _hasLeft;                  // the first request with side effects has left; the key is fixed
    private volatile Uri? _resource;        // the stream's resource, as the response to a request with side effects named it
    private bool _isOnce;                   // the endpoint has announced to this transport that a repetition starts nothing
    private bool _mayHaveActed;             // the server may have acted on a request with side effects
    private volatile bool _speaksPerennial;

    /// <summary>Whether the next request only reads.</summary>
    public bool IsRead => IsSafe(options.EffectiveMethod) || _resource is not null;

    /// <summary>The URL of the next request.</summary>
    public Uri Target => _resource ?? options.StreamEndpoint;

    /// <summary>Whether the next request can be sent without repeating a request that must not be repeated.</summary>
    public bool MayBeSent => IsRead || !_mayHaveActed || MayBeRepeated;

    /// <summary>Whether a response announced Perennial's protocol, on this connection or an earlier one of the transport.</summary>
    public bool SpeaksPerennial => _speaksPerennial;

    /// <summary>Whether another request can continue the stream after this one was answered.</summary>
    /// <param name="canResume">Whether the repeated request would deliver no message twice.</param>
    public bool CanContinue(bool canResume) => IsRead || (MayBeRepeated && canResume);

    /// <summary>Records that a request, the first or one after a redirect, is about to leave this machine.</summary>
    public void Leaves(HttpRequestMessage request)
    {
        if (IsSafe(request.Method))
        {
            return;
        }

        if (!_hasLeft)
        {
            _key = request.Headers.NonValidated.TryGetValues(IdempotencyKey.HeaderName, out var value) ? value.ToString() : null;
            _hasLeft = true;
        }

        SetKey(request);
        _mayHaveActed = true;
    }

    /// <summary>Records that the request got no response.</summary>
    public void Failed(HttpRequestMessage request, TransportException error)
    {
        if (!IsSafe(request.Method) && error.Delivery == DeliveryStatus.NotSent)
        {
            _mayHaveActed = false;
        }
    }

    /// <summary>
    /// Records a redirect, which another request follows. If the redirect requires a GET of the result, the server has acted.
    /// </summary>
    public void Redirected(HttpRequestMessage request, HttpRequestMessage next)
    {
        if (!IsSafe(request.Method) && IsSafe(next.Method))
        {
            NameResource(request.RequestUri!, next.RequestUri!);
        }
    }

    /// <summary>Records the response. After a client error the server did not act (RFC 9110, section 15.5).</summary>
    public void Answered(HttpResponseMessage response)
    {
        _speaksPerennial |= ProtocolHeaders.SpeaksPerennial(response);
        var request = response.RequestMessage!;
        if (IsSafe(request.Method))
        {
            return;
        }

        var isOnce = options.StartsOnce.Note(request.RequestUri!, response);
        if (request.RequestUri == options.Endpoint)
        {
            _isOnce = isOnce ?? _isOnce;
        }

        if ((int)response.StatusCode is >= 400 and < 500)
        {
            _mayHaveActed = false;
        }
        else if (response.IsSuccessStatusCode
            && response.Content.Headers.ContentLocation is { } location
            && GivenUrl.Resolve(request.RequestUri!, location) is { } resource)
        {
            NameResource(request.RequestUri!, resource);
        }
    }

    /// <summary>Converts an error to an interruption if another attempt would repeat a request that must not be repeated.</summary>
    public TransportException Judge(TransportException error)
    {
        if (MayBeSent || !error.IsTransient)
        {
            return error;
        }

        return error.HttpStatus is null
            ? error.AsFinal(
                TransportErrorCode.Interrupted, $"Interrupted: the {options.EffectiveMethod} must not be repeated. {error.Message}")
            : error.AsFinal(error.Code, error.Message);
    }

    /// <summary>The error for a request that has left and must not be sent again.</summary>
    public TransportException Interruption(Exception? cause = null) =>
        new(
            TransportErrorCode.Interrupted,
            $"The {options.EffectiveMethod} was sent before and must not be repeated. Set AllowReplay to true to allow it.",
            innerException: cause);

    /// <summary>Whether a request that the server may have acted on may be sent again.</summary>
    private bool MayBeRepeated => options.AllowReplay ?? (_key is not null && (_isOnce || options.StartsOnce.Contains(options.Endpoint)));

    /// <summary>
    /// Sets the same key in every repetition, even if ConfigureRequest changed it. Another key would start another stream.
    /// </summary>
    private void SetKey(HttpRequestMessage request)
    {
        request.Headers.Remove(IdempotencyKey.HeaderName);
        if (_key is not null)
        {
            request.Headers.TryAddWithoutValidation(IdempotencyKey.HeaderName, _key);
        }
    }

    /// <summary>
    /// Accepts a resource only if the endpoint's own origin names it and it is at that origin, because requests to it carry credentials.
    /// </summary>
    private void NameResource(Uri namedBy, Uri resource)
    {
        if (Redirects.IsSameOrigin(options.Endpoint, namedBy) && Redirects.IsSameOrigin(options.Endpoint, resource))
        {
            _resource = resource;
        }
    }

    private static bool IsSafe(HttpMethod method) => method == HttpMethod.Get || method == HttpMethod.Head;
}
