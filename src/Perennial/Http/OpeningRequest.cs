using Perennial.Wire;

namespace Perennial.Http;

/// <summary>
/// What became of the request that opens a stream, and so whether it may be made again. One with side effects is sent once, unless it
/// certainly did nothing or the caller allowed more; where the server named the stream as a resource, that is read from then on.
/// Told of one opening at a time; lives as long as the transport.
/// </summary>
/// <param name="options">The transport's options.</param>
internal sealed class OpeningRequest(HttpTransportOptions options)
{
    private string? _key;                   // the value sent with the first request; none where the caller removed it
    private bool _hasLeft;                  // the first request with side effects has left, so that the key stands
    private volatile Uri? _resource;        // what the answer to a request with side effects named as the stream
    private bool _isOnce;                   // the endpoint has announced to this transport that a repeat starts nothing
    private bool _mayHaveActed;             // the server may have acted on a request with side effects
    private volatile bool _speaksPerennial;

    /// <summary>Whether the next request only reads.</summary>
    public bool IsRead => IsSafe(options.EffectiveMethod) || _resource is not null;

    /// <summary>Where the next request goes.</summary>
    public Uri Target => _resource ?? options.StreamEndpoint;

    /// <summary>Whether the next request repeats nothing that must not be repeated.</summary>
    public bool MayBeSent => IsRead || !_mayHaveActed || MayBeRepeated;

    /// <summary>Whether an answer announced Perennial's protocol, on this connection of the transport or an earlier one.</summary>
    public bool SpeaksPerennial => _speaksPerennial;

    /// <summary>Whether the stream can go on over another request after this one was answered.</summary>
    /// <param name="canResume">Whether repeating would hand out nothing twice.</param>
    public bool CanContinue(bool canResume) => IsRead || (MayBeRepeated && canResume);

    /// <summary>A request, the first or one that a redirect led to, is about to leave this machine.</summary>
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

    /// <summary>It did not get an answer.</summary>
    public void Failed(HttpRequestMessage request, TransportException error)
    {
        if (!IsSafe(request.Method) && error.Delivery == DeliveryStatus.NotSent)
        {
            _mayHaveActed = false;
        }
    }

    /// <summary>It was answered by a redirect, which another request follows. The server has acted where only a look at the result is asked for.</summary>
    public void Redirected(HttpRequestMessage request, HttpRequestMessage next)
    {
        if (!IsSafe(request.Method) && IsSafe(next.Method))
        {
            NameResource(request.RequestUri!, next.RequestUri!);
        }
    }

    /// <summary>It was answered. A client error says that the server did not act (RFC 9110, 15.5).</summary>
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

    /// <summary>What an error means for the stream: an interruption, where another attempt would have to repeat what must not be repeated.</summary>
    public TransportException Judge(TransportException error)
    {
        if (MayBeSent || !error.IsTransient)
        {
            return error;
        }

        return error.HttpStatus is null
            ? error.AsFinal(TransportErrorCode.Interrupted, $"Interrupted: the {options.EffectiveMethod} must not be repeated. {error.Message}")
            : error.AsFinal(error.Code, error.Message);
    }

    /// <summary>The interruption there is where the request has left and may not be made again.</summary>
    public TransportException Interruption(Exception? cause = null) =>
        new(
            TransportErrorCode.Interrupted,
            $"The {options.EffectiveMethod} was sent before and must not be repeated. Set AllowReplay to true to allow it.",
            innerException: cause);

    /// <summary>Whether a request that may have acted may be made again.</summary>
    private bool MayBeRepeated => options.AllowReplay ?? (_key is not null && (_isOnce || options.StartsOnce.Contains(options.Endpoint)));

    /// <summary>Every repeat says the same key, whatever ConfigureRequest makes of it: another one would start another stream.</summary>
    private void SetKey(HttpRequestMessage request)
    {
        request.Headers.Remove(IdempotencyKey.HeaderName);
        if (_key is not null)
        {
            request.Headers.TryAddWithoutValidation(IdempotencyKey.HeaderName, _key);
        }
    }

    /// <summary>Only the endpoint's own origin can name the resource, and only at itself: requests to it carry credentials.</summary>
    private void NameResource(Uri namedBy, Uri resource)
    {
        if (Redirects.IsSameOrigin(options.Endpoint, namedBy) && Redirects.IsSameOrigin(options.Endpoint, resource))
        {
            _resource = resource;
        }
    }

    private static bool IsSafe(HttpMethod method) => method == HttpMethod.Get || method == HttpMethod.Head;
}
