using System.Net;

namespace Perennial.Http;

/// <summary>
/// Sends a request until its final response: completes the request, follows redirects, repeats it once with new credentials after a 401,
/// and throws for every status other than success. Thread safe.
/// </summary>
internal sealed class HttpSender : IDisposable
{
    private readonly HttpTransportOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpMessageInvoker _http;      // uses the shared handler or the caller's handler
    private HttpHandlers.Shared? _rented;

    public HttpSender(HttpTransportOptions options, TransportServices services)
    {
        _options = options;
        _time = services.Time;
        _rented = services.HttpHandler is null ? HttpHandlers.Rent(options.HttpRules, options.Endpoint) : null;
        _http = _rented?.Http ?? new HttpMessageInvoker(services.HttpHandler!, disposeHandler: false);
    }

    /// <summary>Sends a request, and returns a response with a success status or the requested upgrade.</summary>
    /// <param name="newRequest">Creates the request. Called again for a second attempt.</param>
    /// <param name="opening">Records the progress of the request, if it opens the stream. Otherwise null.</param>
    /// <param name="cancellationToken">Cancels the request.</param>
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
    /// Removes the URL, content and headers of a request, such as credentials, which the HTTP stack would otherwise keep while the response is
    /// read. Keeps them if the handler is the caller's, which may still need them.
    /// </summary>
    public void Forget(HttpRequestMessage request)
    {
        if (_rented is not null)
        {
            request.Headers.Clear();
            request.RequestUri = null;
        }
    }

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _rented, null) is { } rented)
        {
            HttpHandlers.Return(rented);
        }
    }

    private static bool IsUpgrade(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.SwitchingProtocols && response.RequestMessage!.Headers.NonValidated.Contains("Upgrade");

    private async Task<HttpResponseMessage> SendOnceAsync(
        HttpRequestMessage request, OpeningRequest? opening, CancellationToken cancellationToken)
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
                    throw Redirects.Refusal("A redirect would turn the message into a GET, which carries no message.");
                }

                request = next;
            }
        }
    }

    private async Task<HttpResponseMessage> SendToServerAsync(
        HttpRequestMessage request, OpeningRequest? opening, CancellationToken cancellationToken)
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
            // A time limit other than ours, such as the handler's own. The attempt failed, and whether the server acted is unknown.
            throw new TransportException(
                TransportErrorCode.ConnectTimeout, "The HTTP handler cancelled the request.", isTransient: true, e);
        }
    }

    /// <summary>
    /// Sends the request with the URL as it was written. Callers see a URL that supports all members of <see cref="Uri"/>.
    /// </summary>
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
            // The wait ends with the caller's token: a callback that ignores its token must not delay closing.
            await configure(request, cancellationToken).AsTask().WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (Exception e)
        {
            // A cancellation that this transport did not request is a timeout of other code. HttpClient reports its timeouts in this way.
            var isTransient = e is HttpRequestException or IOException or TimeoutException or OperationCanceledException;
            throw new TransportException(
                isTransient ? TransportErrorCode.ConnectFailed : TransportErrorCode.Unexpected,
                $"ConfigureRequest failed ({e.GetType().Name}).",
                isTransient,
                e)
            {
                Delivery = DeliveryStatus.NotSent,
                IsAboutOrigin = false,
            };
        }
    }
}
