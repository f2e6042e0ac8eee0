using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;

namespace Perennial.Chats.Tests.Support;

/// <summary>A model inside the process, whose answer the test writes. It counts how often it is asked.</summary>
/// <param name="answer">The answer to a number of the call, from 0. Its token is cancelled when the caller of the model cancels.</param>
internal sealed class ScriptedModel(Func<int, CancellationToken, IAsyncEnumerable<ChatResponseUpdate>> answer) : IChatClient
{
    private int _asked;
    private int _cancelled;

    /// <summary>A model that gives the same whole answer to each call.</summary>
    public ScriptedModel(IReadOnlyList<ChatResponseUpdate> updates)
        : this((_, stop) => Play(updates, stop))
    {
    }

    public int Asked => Volatile.Read(ref _asked);

    public int Cancelled => Volatile.Read(ref _cancelled);

    public IReadOnlyList<ChatMessage> Messages { get; private set; } = [];

    public ChatOptions? Options { get; private set; }

    /// <summary>Words, then usage, with a finish reason: a whole answer.</summary>
    public static IReadOnlyList<ChatResponseUpdate> Words(int count, int number = 0) =>
    [
        .. Enumerable.Range(0, count).Select(
            i => new ChatResponseUpdate(ChatRole.Assistant, $"word {number}.{i} ") { ResponseId = $"r{number}", MessageId = "m" }),
        new ChatResponseUpdate { FinishReason = ChatFinishReason.Stop, ResponseId = $"r{number}", MessageId = "m" },
        new ChatResponseUpdate(
            ChatRole.Assistant,
            [new UsageContent(new UsageDetails { OutputTokenCount = count })]) { ResponseId = $"r{number}", MessageId = "m" },
    ];

    public static string TextOf(IEnumerable<ChatResponseUpdate> updates) => string.Concat(updates.Select(update => update.Text));

    public static async IAsyncEnumerable<ChatResponseUpdate> Play(
        IEnumerable<ChatResponseUpdate> updates, [EnumeratorCancellation] CancellationToken stop)
    {
        foreach (var update in updates)
        {
            await Task.Yield();
            stop.ThrowIfCancellationRequested();
            yield return update;
        }
    }

    /// <summary>Goes on only when the test opens the gate.</summary>
    public static async IAsyncEnumerable<ChatResponseUpdate> PlayAfter(
        Task gate, IEnumerable<ChatResponseUpdate> updates, [EnumeratorCancellation] CancellationToken stop)
    {
        await gate.WaitAsync(stop);
        foreach (var update in updates)
        {
            yield return update;
        }
    }

    public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
        IEnumerable<ChatMessage> messages,
        ChatOptions? options = null,
        [EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var number = Interlocked.Increment(ref _asked) - 1;
        (Messages, Options) = ([.. messages], options);
        try
        {
            await foreach (var update in answer(number, cancellationToken))
            {
                yield return update;
            }
        }
        finally
        {
            if (cancellationToken.IsCancellationRequested)
            {
                Interlocked.Increment(ref _cancelled);
            }
        }
    }

    public Task<ChatResponse> GetResponseAsync(
        IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
        GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

    public object? GetService(Type serviceType, object? serviceKey = null) => null;

    public void Dispose()
    {
    }
}
