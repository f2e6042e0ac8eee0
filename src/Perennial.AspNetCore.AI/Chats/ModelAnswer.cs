using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.AI;
using Perennial.Chats;

namespace Perennial.AspNetCore.Chats;

/// <summary>
/// The updates of one answer of a model. Enumerated once; the model is asked then. Throws <see cref="RunFailedException"/> if the answer
/// fails or is not whole.
/// </summary>
internal sealed class ModelAnswer : IAsyncEnumerable<ChatResponseUpdate>
{
    private readonly IChatClient _chat;
    private readonly ChatMessage[] _messages;
    private readonly ChatRunOptions _options;

    private ModelAnswer(IChatClient chat, ChatMessage[] messages, ChatRunOptions options)
    {
        _chat = chat;
        _messages = messages;
        _options = options with { Chat = options.Chat?.Clone() };
        TypeInfo = ChatJson.Of<ChatResponseUpdate>(options.SerializerOptions is { } given ? ChatJson.OnOneLine(given) : ChatJson.Default);
    }

    /// <summary>How an update is written into the run.</summary>
    public JsonTypeInfo<ChatResponseUpdate> TypeInfo { get; }

    public static ModelAnswer Of(IChatClient chat, IEnumerable<ChatMessage> messages, ChatRunOptions options)
    {
        ArgumentNullException.ThrowIfNull(chat);
        ArgumentNullException.ThrowIfNull(messages);
        ArgumentNullException.ThrowIfNull(options);
        return new ModelAnswer(chat, [.. messages], options);
    }

    public IAsyncEnumerator<ChatResponseUpdate> GetAsyncEnumerator(CancellationToken cancellationToken = default) =>
        ReadAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);

    private async IAsyncEnumerable<ChatResponseUpdate> ReadAsync([EnumeratorCancellation] CancellationToken stop)
    {
        var isFinished = false;
        var updates = Ask(stop);
        await using var closing = updates.ConfigureAwait(false);
        while (await MoveAsync(updates, stop).ConfigureAwait(false))
        {
            var update = updates.Current;
            isFinished = update.FinishReason is not null || (isFinished && update.Contents.All(static content => content is UsageContent));
            yield return Recordable(update);
        }

        if (!isFinished && _options.RequireFinishReason)
        {
            throw new RunFailedException("The model's answer ended without a finish reason, so it may not be whole.", "incomplete_answer");
        }
    }

    private IAsyncEnumerator<ChatResponseUpdate> Ask(CancellationToken stop)
    {
        try
        {
            return _chat.GetStreamingResponseAsync(_messages, _options.Chat, stop).GetAsyncEnumerator(stop);
        }
        catch (Exception e) when (e is not RunFailedException && !stop.IsCancellationRequested)
        {
            throw FailureOf(e);
        }
    }

    private static async ValueTask<bool> MoveAsync(IAsyncEnumerator<ChatResponseUpdate> updates, CancellationToken stop)
    {
        try
        {
            return await updates.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is not RunFailedException && !stop.IsCancellationRequested)
        {
            throw FailureOf(e);
        }
    }

    /// <summary>Returns an update without the provider's own token, which would lead readers past the run.</summary>
    private static ChatResponseUpdate Recordable(ChatResponseUpdate update)
    {
        if (update.ContinuationToken is null)
        {
            return update;
        }

        var recordable = update.Clone();
        recordable.ContinuationToken = null;
        return recordable;
    }

    /// <summary>The failure that readers get. The exception's own message may contain a secret and stays in the server's log.</summary>
    private static RunFailedException FailureOf(Exception exception) => exception switch
    {
        OperationCanceledException or TimeoutException =>
            new RunFailedException("The model did not answer in time.", "model_timeout", exception),
        IOException or SocketException or HttpRequestException { StatusCode: null } =>
            new RunFailedException("The connection to the model failed.", "model_unreachable", exception),
        _ => new RunFailedException("The model failed.", "model_failed", exception),
    };
}
