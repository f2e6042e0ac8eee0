namespace Perennial.AspNetCore.Tests.WebSockets;

/// <summary>A run that says nothing and goes on, and what was sent to it.</summary>
internal sealed class OpenRun : IAsyncDisposable
{
    private readonly List<RunMessage> _messages;
    private readonly SemaphoreSlim _arrival;

    private OpenRun(List<RunMessage> messages, SemaphoreSlim arrival) => (_messages, _arrival) = (messages, arrival);

    public required StartedRun Run { get; init; }

    /// <param name="server">Where it runs.</param>
    /// <param name="handle">Done with each message before the next comes.</param>
    public static async Task<OpenRun> StartAsync(RunServer server, Func<Task>? handle = null)
    {
        var (messages, arrival) = (new List<RunMessage>(), new SemaphoreSlim(0));
        var run = await server.Runs.StartAsync(
            (_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop),
            new RunOptions
            {
                OnMessage = (message, _) =>
                {
                    lock (messages)
                    {
                        messages.Add(message);
                    }

                    arrival.Release();
                    return handle?.Invoke() ?? Task.CompletedTask;
                },
            });
        return new OpenRun(messages, arrival) { Run = run };
    }

    /// <summary>What has been received so far.</summary>
    public IReadOnlyList<RunMessage> Messages
    {
        get
        {
            lock (_messages)
            {
                return [.. _messages];
            }
        }
    }

    /// <summary>Waits for so many messages, and returns what has been received.</summary>
    public async Task<IReadOnlyList<RunMessage>> MessagesAsync(int count)
    {
        while (Messages.Count < count)
        {
            await _arrival.WaitAsync(TestContext.Current.CancellationToken);
        }

        return Messages;
    }

    /// <inheritdoc cref="MessagesAsync"/>
    public async Task<IEnumerable<string>> TextsAsync(int count) => (await MessagesAsync(count)).Select(static message => message.Text);

    public async ValueTask DisposeAsync()
    {
        await Run.StopAsync(CancellationToken.None);
        await Run.Completion;
        _arrival.Dispose();
    }
}
