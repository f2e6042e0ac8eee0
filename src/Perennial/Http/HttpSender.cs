using System.Net;

namespace Perennial.Http;

/// <summary>
/// Carries a request to its final answer: completes it, follows redirects, after a 401 tries once more with fresh credentials, and
/// turns everything but success into an error. Thread safe.
/// </summary>
internal sealed class HttpSender : IDisposable
{
    private readonly HttpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;      // the rented one's, or over a handler that is the caller's
    private HttpHandlers.Shared? _rented;

    public HttpSender(HttpTransportOptions options, TransportServices services)
    {
        _options = options;
        _time = services.Time;
        _rented = services.HttpHandler is null ? HttpHandlers.Rent(options.HttpRules, options.Endpoint) : null;
        _http = _rented?.Http ?? new HttpMessageInvoker(services.HttpHandler!, disposeHandler: false);
    }

    /// <summary>Sends a request and returns a response with a success status, or the upgrade it asked for.</summary>
    /// <param name="newRequest">Makes the request, anew for a second try.</param>
    /// <param name="opening">Told of what becomes of the request, where it is the one that opens the stream.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="TransportException">There was no such response.</exception>
    public async Task<HttpResponseMessage> SendAsync(
        Func<HttpRequestMessage> newRequest, OpeningRequest? opening, CancellationToken cancellationToken)
    {
        var response = await SendOnceAsync(newRequest(), opening, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.Unauthorized && _options.ConfigureRequest is not null && (opening?.MayBeSent ?? true))
        {
            response.Dispose();
            var again = newRequest();
            again.Options.Set(HttpTransportOptions.CredentialsRejected, true);
            response = await SendOnceAsync(again, opening, cancellationToken).ConfigureAwait(false);
        }

        if (response.IsSuccessStatusCode || IsUpgrade(response))
        {
            return response;
        }

        using (response)
        {
            var said = await ErrorBody.ReadAsync(response, _time, cancellationToken).ConfigureAwait(false);
            throw HttpErrors.FromStatus(response, said, _options.ReconnectRules, _time);
        }
    }

    /// <summary>
    /// Lets go of what a request said, credentials for one, which the HTTP stack would keep for as long as its response is read. A handler
    /// that is the caller's may still want to know.
    /// </summary>
    public void Forget(HttpRequestMessage request)
    {
        if (_rented is not null)
        {
            request.Headers.Clear();
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
        {
            HttpHandlers.GiveBack(rented);
        }
    }

    private static bool IsUpgrade(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols && response.RequestMessage!.Headers.NonValidated.Contains("Upgrade");

    private async Task<HttpResponseMessage> SendOnceAsync(HttpRequestMessage request, OpeningRequest? opening, CancellationToken cancellationToken)
    {
        if (_options.ConfigureRequest is { } configure)
        {
            await ConfigureAsync(configure, request, cancellationToken).ConfigureAwait(false);
        }

        for (var redirects = 0; ; redirects++)
        {
            var response = await SendToServerAsync(request, opening, cancellationToken).ConfigureAwait(false);
            if (!Redirects.IsRedirect(response))
            {
                opening?.Answered(response);
                return response;
            }

            using (response)
            {
                if (redirects == Redirects.Most)
                {
                    throw Redirects.Refusal($"More than {Redirects.Most} redirects.");
                }

                var next = Redirects.Follow(request, response);
                opening?.Redirected(request, next);
                if (opening is null && response.StatusCode != HttpStatusCode.SeeOther && next.Method != request.Method)
                {
                    throw Redirects.Refusal("A redirect would turn the message into a mere request for a page.");
                }

                request = next;
            }
        }
    }

    private async Task<HttpResponseMessage> SendToServerAsync(HttpRequestMessage request, OpeningRequest? opening, CancellationToken cancellationToken)
    {
        opening?.Leaves(request);
        try
        {
            return await SendAsGivenAsync(request, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (HttpErrors.IsNetwork(e))
        {
            var error = HttpErrors.FromRequest(e, request);
            opening?.Failed(request, error);
            throw error;
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            // A limit of somebody else's, such as a handler's own: the attempt is lost, and whether the server acted is unknown.
            throw new TransportException(TransportErrorCode.ConnectTimeout, "The HTTP handler gave up on the request.", isTransient: true, e);
        }
    }

    /// <summary>Sends the URL as it was given. Callers and all other code see a URL that supports all members of <see cref="Uri"/>.</summary>
    private async Task<HttpResponseMessage> SendAsGivenAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var url = request.RequestUri!;
        request.RequestUri = GivenUrl.OnTheWire(url);
        try
        {
            return await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            request.RequestUri = url;
        }
    }

    private static async Task ConfigureAsync(
        Func<HttpRequestMessage, CancellationToken, ValueTask> configure, HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            // Waited for only as long as the caller does: a callback that ignores its token must not hold up a close.
            await configure(request, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // A cancellation that is not ours is somebody's timeout: HttpClient reports its own that way.
            var isTransient = e is HttpRequestException or IOException or TimeoutException or OperationCanceledException;
            throw new TransportException(
                isTransient ? TransportErrorCode.ConnectFailed : TransportErrorCode.Unexpected, $"ConfigureRequest failed ({e.GetType().Name}).", isTransient, e)
            {
                Delivery = DeliveryStatus.NotSent,
                IsAboutOrigin = false,
            };
        }
    }
}
