namespace Perennial.Http;

/// <summary>
/// What became of the request that opens a stream, and so whether it may be made again. One with side effects is sent once, unless it
/// certainly did nothing or the caller allowed more; where the server named the stream as a resource, that is read from then on.
/// Told of one opening at a time; lives as long as the transport.
/// </summary>
internal sealed class OpeningRequest(HttpTransportOptions options)
{
    private volatile Uri? _resource;        // what the answer to a request with side effects named as the stream
    private bool _mayHaveActed;             // the server may have acted on a request with side effects

    /// <summary>Whether the next request only reads.</summary>
    public bool IsRead => IsSafe(options.EffectiveMethod) || _resource is not null;

    /// <summary>Where the next request goes.</summary>
    public Uri Target => _resource ?? options.Endpoint;

    /// <summary>Whether the next request repeats nothing that must not be repeated.</summary>
    public bool MayBeSent => IsRead || !_mayHaveActed || options.AllowReplay;

    /// <summary>Whether the stream can go on over another request after this one was answered.</summary>
    /// <param name="canResume">Whether repeating would hand out nothing twice.</param>
    public bool CanContinue(bool canResume) => IsRead || (options.AllowReplay && canResume);

    /// <summary>A request, the first or one that a redirect led to, is about to leave this machine.</summary>
    public void Leaves(HttpRequestMessage request) => _mayHaveActed |= !IsSafe(request.Method);

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
        var request = response.RequestMessage!;
        if (IsSafe(request.Method))
        {
            return;
        }

        if ((int)response.StatusCode is >= 400 and < 500)
        {
            _mayHaveActed = false;
        }
        else if (response.IsSuccessStatusCode
            && response.Content.Headers.ContentLocation is { } location
            && Uri.TryCreate(request.RequestUri, location, out var resource))
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
            $"The {options.EffectiveMethod} was sent before and must not be repeated. Set AllowReplay to allow it.",
            innerException: cause);

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
