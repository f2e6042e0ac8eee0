using System.Net;
using System.Net.Http.Headers;
using Perennial.Streams;

namespace Perennial;

/// <summary>
/// An HTTP handler under the SDKs of AI providers, such as those of OpenAI, Anthropic and Ollama. A stream that is cut resumes where the
/// server is Perennial, an application or a gateway, and otherwise ends as an error instead of quiet success. The SDK sees each event once.
/// Thread safe.
/// </summary>
/// <remarks>
/// <para>
/// <b>Perennial servers.</b> A POST with JSON carries an <c>Idempotency-Key</c> and <c>Perennial-Protocol</c>. If the response speaks
/// Perennial's protocol, the handler reads it with an <c>SseTransport</c>: after a cut it drops the half event and asks for the rest by GET
/// at <c>Content-Location</c> with <c>Last-Event-ID</c>, with the headers of the SDK's own request. The SDK gets the events in its
/// provider's format, without ids, comments and events of Perennial. A run that fails, is stopped or cannot be resumed ends as
/// <see cref="IOException"/>, after the provider's own error event if there is one.
/// </para>
/// <para>
/// <b>Other servers.</b> Streams pass through byte for byte. If one of <see cref="Dialects.Known"/> is recognized, and the body ends
/// without that format's own end, reading throws <see cref="IOException"/>.
/// </para>
/// <para>
/// Everything else passes unchanged: responses that are no streams, requests that are no POST with JSON, and bodies that are compressed by
/// an encoding that the inner handler leaves on.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// var http = new HttpClient(new ResumableStreamHandler(new SocketsHttpHandler()));
/// var openai = new OpenAIClient(new ApiKeyCredential(key), new OpenAIClientOptions { Transport = new HttpClientPipelineTransport(http) });
/// </code>
/// </example>
public sealed class ResumableStreamHandler : DelegatingHandler
{
    private readonly ResumableStreamOptions _options;

    /// <summary>Creates a handler whose inner handler is set later, for example by <c>AddHttpMessageHandler</c>.</summary>
    /// <param name="options">The options; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    public ResumableStreamHandler(ResumableStreamOptions? options = null) => _options = Validated(options);

    /// <summary>Creates a handler.</summary>
    /// <param name="innerHandler">The handler that sends requests, such as a <see cref="SocketsHttpHandler"/>.</param>
    /// <param name="options">The options; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    public ResumableStreamHandler(HttpMessageHandler innerHandler, ResumableStreamOptions? options = null)
        : base(innerHandler) => _options = Validated(options);

    /// <inheritdoc/>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        if (!IsPrompt(request))
        {
            var response = await base.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return await WatchAsync(response, isAnswer: false, cancellationToken).ConfigureAwait(false);
        }

        await request.Content!.LoadIntoBufferAsync(cancellationToken).ConfigureAwait(false);       // it may be sent again
        var call = new PromptCall(request, base.SendAsync, _options);
        return await call.SendAsync(cancellationToken).ConfigureAwait(false)
            ?? await WatchAsync(call.Raw!, isAnswer: true, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    /// <remarks>Blocks the calling thread, as callers of synchronous SDK methods expect.</remarks>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        SendAsync(request, cancellationToken).GetAwaiter().GetResult();

    private static ResumableStreamOptions Validated(ResumableStreamOptions? options)
    {
        options ??= new ResumableStreamOptions();
        options.Validate();
        return options;
    }

    private static bool IsPrompt(HttpRequestMessage request) =>
        request.Method == HttpMethod.Post
        && string.Equals(request.Content?.Headers.ContentType?.MediaType, "application/json", StringComparison.OrdinalIgnoreCase);

    /// <summary>Replaces the body of a stream by one that throws if the stream ends before its format's own end.</summary>
    private static async Task<HttpResponseMessage> WatchAsync(
        HttpResponseMessage response, bool isAnswer, CancellationToken cancellationToken)
    {
        var content = response.Content;
        if (response.StatusCode != HttpStatusCode.OK || !StreamForms.MayBeStream(content.Headers))
        {
            return response;
        }

        var watch = new AnswerWatch(isAnswer && StreamForms.Of(content.Headers) != StreamForm.Unknown);
        watch.Begin(response);
        var body = await content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        response.Content = new StreamContent(new WatchedBody(body, content, new EventSplitter(StreamForms.Of(content.Headers)), watch));
        Copy(content.Headers, response.Content.Headers);
        return response;
    }

    internal static void Copy(HttpHeaders from, HttpHeaders to)
    {
        foreach (var (name, values) in from.NonValidated)
        {
            to.TryAddWithoutValidation(name, values);
        }
    }
}
