using System.Diagnostics.CodeAnalysis;
using Perennial.Sse;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>
/// One POST of an SDK, sent by a transport, so that it is repeated only where that is safe. If the response is not Perennial's, it is
/// passed on as it is.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The body of the response disposes the transport, and the line owns nothing.")]
internal sealed class PromptCall
{
    /// <summary>The SDK limits the time to the head of the response itself: a cold model takes minutes.</summary>
    private static readonly TimeSpan LongestStart = TimeSpan.FromHours(1);

    private readonly HttpRequestMessage _request;
    private readonly PromptLine _line;
    private readonly SseTransport _transport;
    private readonly ResumableStreamOptions _options;

    /// <param name="request">The SDK's request, whose content is buffered.</param>
    /// <param name="send">The inner handler.</param>
    /// <param name="options">The options of the handler.</param>
    public PromptCall(
        HttpRequestMessage request,
        Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send,
        ResumableStreamOptions options)
    {
        _request = request;
        _options = options;
        _line = new PromptLine(request, send, options);
        _transport = new SseTransport(
            new SseTransportOptions
            {
                Endpoint = request.RequestUri!,
                Method = HttpMethod.Post,
                ConnectTimeout = LongestStart,
                IdleTimeout = options.IdleTimeout,
                Reconnect = options.Reconnect,
                EndOfStream = EndOfStreamPolicy.RequireMarker,
                Classify = PerennialChatClientOptions.EndsOnlyByProtocol,
                AllowReplay = options.AllowReplay is true ? null : options.AllowReplay,
            },
            options.Services with { HttpHandler = _line });
    }

    /// <summary>The response of a server that is not Perennial, or that is no stream.</summary>
    public HttpResponseMessage? Raw => _line.Raw;

    /// <summary>
    /// Sends the request. Returns the response for the SDK, or <see langword="null"/> if <see cref="Raw"/> is the response.
    /// </summary>
    public async Task<HttpResponseMessage?> SendAsync(CancellationToken cancellationToken)
    {
        var isHandedOver = false;
        try
        {
            await _transport.ConnectAsync(cancellationToken).ConfigureAwait(false);
            isHandedOver = true;
            return ResponseForSdk(_line.Head!);
        }
        catch (TransportException) when (Raw is not null)
        {
            return null;
        }
        catch (OperationCanceledException)
        {
            Raw?.Dispose();
            throw;
        }
        catch (TransportException e) when (_line.Failure is { } failure)
        {
            if (!_line.MayHaveActed || _options.AllowReplay is true)
            {
                failure.Throw();        // the SDK sees what it would see without the handler, and may repeat the request
            }

            throw new TransportException(
                e.Code,
                $"The request failed, and was not repeated because the prompt may have been paid for. {e.Message}",
                isTransient: false,
                failure.SourceException);
        }
        finally
        {
            if (!isHandedOver)
            {
                await _transport.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private HttpResponseMessage ResponseForSdk(HttpResponseMessage head)
    {
        var response = new HttpResponseMessage(head.StatusCode)
        {
            Version = head.Version,
            ReasonPhrase = head.ReasonPhrase,
            RequestMessage = _request,
            Content = new StreamContent(new ResumedBody(_transport, _options)),
        };
        var type = ExpectsLines(_request.RequestUri!) ? MediaTypes.JsonLines : MediaTypes.EventStream;
        response.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        ResumableStreamHandler.Copy(head.Headers, response.Headers);
        response.Headers.TransferEncodingChunked = null;
        return response;
    }

    /// <summary>
    /// Whether the SDK of this URL reads lines. Only the header depends on it: the body follows the format of the events.
    /// </summary>
    private static bool ExpectsLines(Uri url) =>
        url.AbsolutePath.EndsWith("/api/chat", StringComparison.Ordinal)
        || url.AbsolutePath.EndsWith("/api/generate", StringComparison.Ordinal);
}
