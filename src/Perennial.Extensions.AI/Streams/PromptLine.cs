using System.Net;
using System.Runtime.ExceptionServices;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>
/// The line of a <see cref="PromptCall"/> to the server. It sends the SDK's own request where the transport posts, and gives the requests
/// with which the transport reads on or stops the SDK's headers. A response that is not Perennial's ends the transport and is kept for the
/// SDK.
/// </summary>
/// <param name="original">The SDK's request.</param>
/// <param name="send">The inner handler.</param>
/// <param name="options">The options of the handler.</param>
internal sealed class PromptLine(
    HttpRequestMessage original,
    Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
    ResumableStreamOptions options)
    : HttpMessageHandler
{
    /// <summary>How long a request that reads on may wait for its head. A Perennial server answers at once.</summary>
    private static readonly TimeSpan LongestResume = TimeSpan.FromSeconds(30);

    /// <summary>Headers of the SDK's request that do not belong to later requests, or that the transport sets.</summary>
    private static readonly HashSet<string> OnlyForThePost = new(StringComparer.OrdinalIgnoreCase)
    {
        "Accept", "Expect", "Transfer-Encoding", IdempotencyKey.HeaderName, WireHeaders.LastEventId, WireHeaders.Protocol,
    };

    /// <summary>The first response, if it is a stream of a Perennial server. The transport reads its body.</summary>
    public HttpResponseMessage? Head { get; private set; }

    /// <summary>Any other response to the POST.</summary>
    public HttpResponseMessage? Raw { get; private set; }

    /// <summary>Why the newest POST got no response.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    /// <summary>Whether a POST without a response may have reached the server.</summary>
    public bool MayHaveActed { get; private set; }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
        request.Method == HttpMethod.Post ? PostAsync(request, cancellationToken) : FollowAsync(request, cancellationToken);

    private async Task<HttpResponseMessage> PostAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Prepare(request);
        HttpResponseMessage response;
        try
        {
            response = await send(original, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            Failure = ExceptionDispatchInfo.Capture(e);
            var isNotSent = IsNotSent(e);
            MayHaveActed |= !isNotSent;
            if ((isNotSent && !MayHaveActed) || options.AllowReplay is true)
            {
                throw new TransportException(
                    TransportErrorCode.ConnectFailed, "The request failed; the SDK decides about another one.", isTransient: false, e);
            }

            throw;
        }

        if (!IsPerennialStream(response))
        {
            Raw = response;
            throw new TransportException(TransportErrorCode.UnexpectedContentType, "The response is not a stream of a Perennial server.");
        }

        // The transport compares the URLs of its own requests, and a handler below may have followed a redirect.
        if (response.Content.Headers.ContentLocation is { IsAbsoluteUri: false } location
            && response.RequestMessage?.RequestUri is { } answered)
        {
            response.Content.Headers.ContentLocation = new Uri(answered, location);
        }

        response.RequestMessage = request;
        Head ??= response;
        return response;
    }

    private static bool IsNotSent(Exception e) => e is HttpRequestException
    {
        HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
            or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError,
    };

    private async Task<HttpResponseMessage> FollowAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        (request.Version, request.VersionPolicy) = (original.Version, original.VersionPolicy);
        foreach (var (name, values) in original.Headers.NonValidated)
        {
            if (!OnlyForThePost.Contains(name) && !request.Headers.NonValidated.Contains(name))
            {
                request.Headers.TryAddWithoutValidation(name, values);
            }
        }

        using var timer = new CancellationTokenSource(LongestResume, options.Services.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, timer.Token);
        try
        {
            return await send(request, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(HttpRequestError.ConnectionError, $"No response within {LongestResume.TotalSeconds:0} s.", e);
        }
    }

    private void Prepare(HttpRequestMessage request)
    {
        var headers = original.Headers;
        foreach (var name in (ReadOnlySpan<string>)[IdempotencyKey.HeaderName, WireHeaders.Protocol])
        {
            if (!headers.NonValidated.Contains(name) && request.Headers.NonValidated.TryGetValues(name, out var values))
            {
                headers.TryAddWithoutValidation(name, values);
            }
        }

        // A Perennial server answers with JSON lines only to those that prefer them, and this handler reads events.
        if (headers.NonValidated.TryGetValues("Accept", out var accept)
            && accept.ToString().Contains(MediaTypes.JsonLines, StringComparison.OrdinalIgnoreCase)
            && !accept.ToString().Contains(MediaTypes.EventStream, StringComparison.OrdinalIgnoreCase))
        {
            headers.TryAddWithoutValidation("Accept", MediaTypes.EventStream);
        }
    }

    private static bool IsPerennialStream(HttpResponseMessage response) =>
        response.StatusCode == HttpStatusCode.OK
        && response.Headers.NonValidated.Contains(WireHeaders.Protocol)
        && StreamForms.Of(response.Content.Headers) == StreamForm.Events;
}
