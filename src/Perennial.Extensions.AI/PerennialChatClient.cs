using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using Perennial.Chats;
using Perennial.Http;
using Perennial.Sse;

namespace Perennial;

/// <summary>
/// A chat client whose answers survive lost connections. It posts a request once, with an <c>Idempotency-Key</c>, to an endpoint that
/// answers with a run of <c>runs.Start(chat, messages)</c>, and reads on by itself after a loss. Each update comes once and in order, and
/// is never replaced later. An answer that is not whole throws. Thread safe.
/// </summary>
/// <remarks>
/// <para>
/// Each update has a <see cref="ChatResponseUpdate.ContinuationToken"/>: the URL of the run and the id of the update. With it in
/// <see cref="ChatOptions.ContinuationToken"/>, and without messages, another process reads on after that update. Anyone who has the token
/// can read the answer if the server requires no other credentials.
/// </para>
/// <para>
/// While reading, it throws <see cref="TransportException"/> if the answer failed
/// (<see cref="TransportErrorCode.ServerFailed"/>, with the server's code), if the request was refused, or if the connection was lost and
/// the answer cannot be read on (<see cref="TransportErrorCode.Interrupted"/>), and <see cref="OperationCanceledException"/> if somebody
/// stopped the answer.
/// </para>
/// </remarks>
/// <example>
/// <code>
/// using IChatClient chat = new PerennialChatClient(new Uri("https://example.com/chat"));
/// await foreach (ChatResponseUpdate update in chat.GetStreamingResponseAsync("Why is the sky blue?"))
/// {
///     Console.Write(update.Text);
/// }
/// </code>
/// </example>
public sealed class PerennialChatClient : IChatClient
{
    private readonly PerennialChatClientOptions _options;
    private readonly ChatClientMetadata _metadata;
    private readonly JsonTypeInfo<ChatResponseUpdate> _updates;
    private volatile bool _isDisposed;

    /// <summary>Creates a client with default options. Does not connect.</summary>
    /// <param name="endpoint">The absolute URL that answers a POST with a run, http or https.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or has another scheme.</exception>
    public PerennialChatClient(Uri endpoint)
        : this(new PerennialChatClientOptions { Endpoint = endpoint })
    {
    }

    /// <summary>Creates a client and validates the options. Does not connect.</summary>
    /// <param name="options">The options of the client.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range; the message names it.</exception>
    [OverloadResolutionPriority(1)]     // lets new() mean the options
    public PerennialChatClient(PerennialChatClientOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Validate();
        _options = options;
        _metadata = new ChatClientMetadata("perennial", options.Endpoint);
        _updates = ChatJson.Of<ChatResponseUpdate>(options.SerializerOptions ?? ChatJson.Default);
    }

    /// <summary>Asks for an answer and returns it when it is whole.</summary>
    /// <param name="messages">The messages. Empty with a <see cref="ChatOptions.ContinuationToken"/>.</param>
    /// <param name="options">Options for the model. With a token, the response holds only what follows it.</param>
    /// <param name="cancellationToken">Cancels the call; see <see cref="PerennialChatClientOptions.OnCancel"/>.</param>
    /// <exception cref="TransportException">The answer is not whole.</exception>
    /// <exception cref="OperationCanceledException">The call was cancelled, or somebody stopped the answer.</exception>
    /// <remarks>Throws for its arguments as <see cref="GetStreamingResponseAsync"/>.</remarks>
    public async Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        var updates = GetStreamingResponseAsync(messages, options, cancellationToken);
        var response = await updates.ToChatResponseAsync(cancellationToken).ConfigureAwait(false);
        response.ContinuationToken = null;      // a token in a response means that it is not complete
        return response;
    }

    /// <summary>Asks for an answer, or reads on, and returns the updates as they come. The sequence can be enumerated once.</summary>
    /// <param name="messages">The messages. They are read before the method returns. Empty with a <see
    /// cref="ChatOptions.ContinuationToken"/>.</param>
    /// <param name="options">
    /// Options for the model. Functions among the tools are sent as declarations. With a token, everything else in the options is not used.
    /// </param>
    /// <param name="cancellationToken">Cancels the reading; see <see cref="PerennialChatClientOptions.OnCancel"/>.</param>
    /// <exception cref="ArgumentException">
    /// The token is not one of this client's, leads to another origin than <see cref="PerennialChatClientOptions.Endpoint"/>, or comes with
    /// messages.
    /// </exception>
    /// <exception cref="NotSupportedException">The options have something that cannot be sent to a server; the message names
    /// it.</exception>
    /// <exception cref="InvalidOperationException">While reading: the sequence is enumerated a second time.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return ReadAsync(RequestFor(messages, options), new Once(), cancellationToken);
    }

    /// <summary>Stops an answer on the server, so that the model stops too. Does nothing if it has ended.</summary>
    /// <param name="continuationToken">The token of any update of the answer.</param>
    /// <param name="cancellationToken">Cancels the wait for the server's answer.</param>
    /// <exception cref="ArgumentException">The token is not one of this client's, or leads to another origin.</exception>
    /// <exception cref="TransportException">The server refused or could not be reached.</exception>
    /// <exception cref="ObjectDisposedException">The client is disposed.</exception>
    public async Task StopAsync(ResponseContinuationToken continuationToken, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(continuationToken);
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        var transport = Connect(new ChatTransportRequest { Endpoint = _options.Endpoint, ResumeFrom = PointOf(continuationToken) });
        await using var closing = transport.ConfigureAwait(false);
        await transport.ConnectAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await transport.StopAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (TransportException) when (HasEnded(transport))
        {
            // The answer had ended.
        }
    }

    private static bool HasEnded(Transport transport) => transport.Completion is
    {
        IsCompletedSuccessfully: true,
        Result.Reason: StreamEndReason.Completed or StreamEndReason.Stopped,
    };

    /// <summary>Gets this client, <see cref="ChatClientMetadata"/>, or <see langword="null"/> for any other type.</summary>
    /// <param name="serviceType">The type that is wanted.</param>
    /// <param name="serviceKey">Not used. With a key there is no service.</param>
    public object? GetService(Type serviceType, object? serviceKey = null)
    {
        ArgumentNullException.ThrowIfNull(serviceType);
        return serviceKey is not null ? null
            : serviceType == typeof(ChatClientMetadata) ? _metadata
            : serviceType.IsInstanceOfType(this) ? this
            : null;
    }

    /// <summary>Refuses further calls. Answers that are being read go on. Idempotent.</summary>
    public void Dispose() => _isDisposed = true;

    private ChatTransportRequest RequestFor(IEnumerable<ChatMessage> messages, ChatOptions? options)
    {
        if (options?.ContinuationToken is { } token)
        {
            return messages.Any()
                ? throw new ArgumentException(
                    "A continuation token goes on with an answer that has been asked for, so there must be no messages.", nameof(messages))
                : new ChatTransportRequest { Endpoint = _options.Endpoint, ResumeFrom = PointOf(token) };
        }

        var body = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(body))
        {
            ChatRequestWriter.Write(writer, messages, options);
        }

        return new ChatTransportRequest
        {
            Endpoint = _options.Endpoint,
            Body = new RequestBody { Content = body.WrittenMemory, MediaType = "application/json" },
        };
    }

    private ResumePoint PointOf(ResponseContinuationToken token)
    {
        if (!ResumeToken.TryRead(token, out var point))
        {
            throw new ArgumentException(
                "The continuation token is not one of this client's: a saved ResumePoint, JSON with the members url and lastEventId.",
                nameof(token));
        }

        return string.Equals(OriginOf(point.Endpoint), OriginOf(_options.Endpoint), StringComparison.OrdinalIgnoreCase)
            ? point
            : throw new ArgumentException("The continuation token leads to another origin than the client's Endpoint.", nameof(token));
    }

    private static string OriginOf(Uri url) => url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped);

    private Transport Connect(ChatTransportRequest request) => _options.CreateTransport is { } create
        ? create(request) ?? throw new InvalidOperationException($"{nameof(PerennialChatClientOptions.CreateTransport)} returned null.")
        : new SseTransport(
            new SseTransportOptions
            {
                Endpoint = request.Endpoint,
                Body = request.Body,
                ResumeFrom = request.ResumeFrom,
                EndOfStream = EndOfStreamPolicy.RequireMarker,
                Classify = PerennialChatClientOptions.EndsOnlyByProtocol,
            },
            _options.Services);

    private async IAsyncEnumerable<ChatResponseUpdate> ReadAsync(
        ChatTransportRequest request, Once once, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        once.Use();
        cancellationToken.ThrowIfCancellationRequested();
        var transport = Connect(request);
        await using var closing = transport.ConfigureAwait(false);
        try
        {
            await foreach (var message in transport.ReadJsonMessagesAsync(_updates, cancellationToken).ConfigureAwait(false))
            {
                if (message.FollowsGap)
                {
                    throw Gap();
                }

                // Other events are the application's own, beside the answer.
                var isUpdate = string.Equals(message.EventType, StreamMessage.DefaultEventType, StringComparison.Ordinal);
                if (isUpdate && message.Value is { } update)
                {
                    update.ContinuationToken = transport.ResumePoint is { } point ? new ResumeToken(point) : null;
                    yield return update;
                }
            }

            ThrowIfNotWhole(await transport.Completion.ConfigureAwait(false));
        }
        finally
        {
            if (_options.OnCancel == ChatCancellation.Stop && !transport.Completion.IsCompleted)
            {
                await StopAsync(transport).ConfigureAwait(false);
            }
        }
    }

    /// <summary>
    /// Stops an answer that the caller has left. The caller gets its own exception, so a failure is only counted by the transport.
    /// </summary>
    private async Task StopAsync(Transport transport)
    {
        using var limit = new CancellationTokenSource(_options.StopTimeout, _options.Services.Time);
        try
        {
            await transport.StopAsync(limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is TransportException or OperationCanceledException or NotSupportedException or ObjectDisposedException)
        {
            // The server goes on, as after ChatCancellation.Leave.
        }
    }

    private static void ThrowIfNotWhole(StreamEnd end)
    {
        if (end.Reason == StreamEndReason.Stopped)
        {
            throw new OperationCanceledException("The answer was stopped on the server before it was complete.");
        }

        if (end.Reason != StreamEndReason.Completed)
        {
            throw end.Error
                ?? new TransportException(TransportErrorCode.Interrupted, "The transport was closed before the answer was complete.");
        }
    }

    private static TransportException Gap() => new(
        TransportErrorCode.Interrupted, "The server could not go on exactly after the last update, so the answer would not be whole.");

    /// <summary>
    /// Lets a sequence be enumerated once. A second enumeration would post again, and the prompt would be paid for twice.
    /// </summary>
    private sealed class Once
    {
        private int _isUsed;

        public void Use()
        {
            if (Interlocked.Exchange(ref _isUsed, 1) == 1)
            {
                throw new InvalidOperationException(
                    "The updates of an answer can be enumerated once. Ask again for another answer, or go on from a continuation token.");
            }
        }
    }
}
