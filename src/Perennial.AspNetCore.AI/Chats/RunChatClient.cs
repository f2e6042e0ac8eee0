using System.Runtime.CompilerServices;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Perennial.AspNetCore.Chats;

/// <summary>Makes each streamed answer of a client a run, and reads runs by continuation tokens. Thread safe.</summary>
internal sealed class RunChatClient(IChatClient inner, StreamRuns runs, ChatRunOptions options) : DelegatingChatClient(inner)
{
    public override Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? chatOptions = null, CancellationToken cancellationToken = default) =>
        RunToken.TryRead(chatOptions?.ContinuationToken, out _)
            ? CollectAsync(GetStreamingResponseAsync(messages, chatOptions, cancellationToken), cancellationToken)
            : base.GetResponseAsync(messages, chatOptions, cancellationToken);

    public override IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? chatOptions = null, CancellationToken cancellationToken = default)
    {
        var answer = ModelAnswer.Of(InnerClient, messages, options with { Chat = chatOptions });
        if (!RunToken.TryRead(chatOptions?.ContinuationToken, out var place))
        {
            return StartAsync(answer, cancellationToken);
        }

        return messages.Any()
            ? throw new ArgumentException(
                "A continuation token goes on with an answer that has been asked for, so there must be no messages.", nameof(messages))
            : ContinueAsync(answer, place, cancellationToken);
    }

    private static async Task<ChatResponse> CollectAsync(IAsyncEnumerable<ChatResponseUpdate> updates, CancellationToken cancellationToken)
    {
        var response = await updates.ToChatResponseAsync(cancellationToken).ConfigureAwait(false);
        response.ContinuationToken = null;      // a token in a response means that it is not complete
        return response;
    }

    private async IAsyncEnumerable<ChatResponseUpdate> StartAsync(
        ModelAnswer answer, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var run = await runs.StartAsync(answer, answer.TypeInfo, options.Run).ConfigureAwait(false);
        await foreach (var update in ReadAsync(run, answer, lastEventId: null, cancellationToken).ConfigureAwait(false))
        {
            yield return update;
        }
    }

    private async IAsyncEnumerable<ChatResponseUpdate> ContinueAsync(
        ModelAnswer answer, RunToken place, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var run = await runs.FindAsync(place.Run, cancellationToken).ConfigureAwait(false)
            ?? throw new InvalidOperationException("The answer of the continuation token is unknown or no longer kept.");
        await foreach (var update in ReadAsync(run, answer, place.LastEventId, cancellationToken).ConfigureAwait(false))
        {
            yield return update;
        }
    }

    private static async IAsyncEnumerable<ChatResponseUpdate> ReadAsync(
        StreamRun run, ModelAnswer answer, string? lastEventId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await foreach (var record in run.ReadAsync(lastEventId, cancellationToken).ConfigureAwait(false))
        {
            if (!string.IsNullOrEmpty(record.Content.EventType)
                || JsonSerializer.Deserialize(record.Content.Data.Span, answer.TypeInfo) is not { } update)
            {
                continue;       // an event of the application beside the answer
            }

            update.ContinuationToken = new RunToken(run.Id, record.Id).ToContinuationToken();
            yield return update;
        }

        if (await run.GetStatusAsync(cancellationToken).ConfigureAwait(false) != RunStatus.Completed)
        {
            throw new OperationCanceledException("The answer was stopped before it was complete.");
        }
    }
}
