using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How readers and producers learn of news.</summary>
internal static class WakeUpBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("Readers who wait for news miss and repeat nothing", FollowAsync),
        new("The end is news to readers", trial => EndAsync(trial, RunNews.Records)),
        new("The end is news to the producer", trial => EndAsync(trial, RunNews.Messages)),
        new("A producer who waits for messages gets each once in order", ReceiveAsync),
    ];

    private static async Task FollowAsync(RunStoreTrial trial)
    {
        const int readers = 12, events = 2000, atOnce = 50;
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);

        var waiting = new Countdown(readers);
        var reading =
            Enumerable.Range(0, readers).Select(_ => Task.Run(() => ReadToEndAsync(trial, store, run, waiting), trial.Token)).ToArray();
        await trial.WaitAsync(Task.WhenAny([waiting.Reached, .. reading]));
        var appends = new List<Task>();
        for (var n = 1; n <= events; n++)
        {
            appends.Add(trial.AppendAsync(run, $"{n}"));
            if (n % atOnce == 0)
            {
                await Task.WhenAll(appends);
            }
        }

        await trial.CloseAsync(run, RunEnd.Completed);

        foreach (var texts in await Task.WhenAll(reading))
        {
            Expect.Sequence([.. Enumerable.Range(1, events).Select(static n => $"{n}"), "[DONE]"], texts, "Records that a reader got");
        }
    }

    private static async Task<List<string>> ReadToEndAsync(RunStoreTrial trial, RunStore store, RunLog run, Countdown waiting)
    {
        var log = await trial.FindAsync(store, run);
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        var texts = new List<string>();
        var hasWaited = false;
        while (true)
        {
            var slice = await log.ReadAsync(texts.Count, 200, trial.Token);
            foreach (var record in slice.Records.ToArray())
            {
                Expect.Equal(texts.Count + 1, record.Sequence, "The sequence of a record");
                texts.Add(RunStoreTrial.TextOf(record));
            }

            if (slice.State.Status != RunStatus.Running && texts.Count == slice.State.Tail)
            {
                return texts;
            }

            if (slice.Records.IsEmpty)
            {
                if (!hasWaited)
                {
                    hasWaited = true;
                    waiting.Signal();
                }

                await trial.WaitAsync(news);
            }
        }
    }

    private static async Task EndAsync(RunStoreTrial trial, RunNews kind)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);
        var news = new RunSignal();
        using var subscription = run.Subscribe(kind, news);

        await trial.CloseAsync(await trial.FindAsync(store, run), RunEnd.Stopped);

        do
        {
            await trial.WaitAsync(news);
        }
        while ((await trial.StateAsync(run)).Status == RunStatus.Running);
    }

    private static async Task ReceiveAsync(RunStoreTrial trial)
    {
        const int senders = 4, each = 100;
        var run = await trial.OpenRunAsync();
        var waiting = new Countdown(1);
        var reading = Task.Run(() => ReadMessagesAsync(trial, run, senders * each, waiting), trial.Token);
        await trial.WaitAsync(Task.WhenAny(waiting.Reached, reading));

        await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(
            async () =>
            {
                for (var n = 1; n <= each; n++)
                {
                    await trial.ReceiveAsync(run, RunStoreTrial.TextMessage($"{sender}:{n}") with { Sender = $"{sender}", Number = n });
                }
            },
            trial.Token)));

        var texts = await reading;
        for (var sender = 0; sender < senders; sender++)
        {
            var own = texts.Where(text => text.StartsWith($"{sender}:", StringComparison.Ordinal));
            Expect.Sequence(Enumerable.Range(1, each).Select(n => $"{sender}:{n}"), own, $"Messages of sender {sender}");
        }
    }

    private static async Task<List<string>> ReadMessagesAsync(RunStoreTrial trial, RunLog run, int count, Countdown waiting)
    {
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Messages, news);
        var received = new List<string>();
        var hasWaited = false;
        while (received.Count < count)
        {
            var messages = await run.ReadMessagesAsync(received.Count, trial.Token);
            foreach (var message in messages)
            {
                Expect.Equal(received.Count + 1, message.Position, "The position of a message");
                received.Add(message.Text);
            }

            if (messages.Count == 0)
            {
                if (!hasWaited)
                {
                    hasWaited = true;
                    waiting.Signal();
                }

                await trial.WaitAsync(news);
            }
        }

        return received;
    }

    /// <summary>
    /// Completes a task at the n-th signal. Nothing is recorded before all readers wait, so a store that wakes nobody is found.
    /// </summary>
    private sealed class Countdown(int count)
    {
        private readonly TaskCompletionSource _reached = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private int _left = count;

        public Task Reached => _reached.Task;

        public void Signal()
        {
            if (Interlocked.Decrement(ref _left) == 0)
            {
                _reached.SetResult();
            }
        }
    }
}
