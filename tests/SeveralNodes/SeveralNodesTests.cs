using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>One run, several nodes. A node with a manual clock neither sweeps nor reconnects before it is told to.</summary>
public sealed class SeveralNodesTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_reader_on_another_node_is_woken_at_once()
    {
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: new ManualTimeProvider()));
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        await RunReading.UntilAsync(() => Task.FromResult(b.IsListening));

        var reading = elsewhere.FollowAsync();
        await run.AppendAsync(1, 3);
        await elsewhere.FollowAsync(3);
        await run.AppendAsync(4, 300);
        await run.CloseAsync(RunEnd.Completed, TestEnds);

        (await reading).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_wake_up_that_was_missed_is_made_up_for_by_the_sweep()
    {
        var (timeOfA, timeOfB) = (new ManualTimeProvider(), new ManualTimeProvider());
        var a = await _nodes.StartAsync(configure: Nodes.TakeTime, time: timeOfA);
        var b = await _nodes.StartAsync(configure: Nodes.TakeTime, time: timeOfB);
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        await RunReading.UntilAsync(() => Task.FromResult(b.IsListening));
        await run.AppendAsync(1, 1);
        await elsewhere.FollowAsync(1);

        // The clock of A stands, so it has said what it says in these 10 ms.
        await timeOfA.WaitForTimerAsync(TimeSpan.FromMilliseconds(10), TestEnds);
        var news = new RunSignal();
        using var subscription = elsewhere.Subscribe(RunNews.Records, news);
        (await elsewhere.ReadAsync(1, int.MaxValue, TestEnds)).Records.Length.ShouldBe(0);
        var waiting = news.WaitAsync().AsTask();
        await run.AppendAsync(2, 2);
        // A signal may be set without news, so what counts is the record, which a subscriber's read does not look for by itself.
        await RunReading.UntilAsync(async () =>
        {
            timeOfB.Advance(TimeSpan.FromSeconds(1));
            return (await elsewhere.ReadAsync(1, int.MaxValue, TestEnds)).Records.Length == 1;
        });

        await waiting;
    }

    [Fact(Timeout = Hang)]
    public async Task Of_repetitions_at_once_on_two_nodes_one_is_taken()
    {
        const int messages = 25, repetitions = 6;
        RunStore[] stores = [await _nodes.StartAsync(), await _nodes.StartAsync()];
        var run = await Nodes.CreateRunAsync(stores[0]);
        var logs = new[] { run, await Nodes.FindAsync(stores[1], run) };

        for (var n = 1; n <= messages; n++)
        {
            var message = new RunMessage { Key = $"key {n}", Data = RunReading.Number(n).Data };
            var results = await Task.WhenAll(Enumerable.Range(0, repetitions).Select(
                turn => Task.Run(async () => await logs[turn % 2].ReceiveAsync(message, TestEnds))));
            results.Count(result => result.Outcome == ReceiveOutcome.Accepted).ShouldBe(1);
        }

        (await run.ReadMessagesAsync(0, TestEnds)).Select(message => message.Position)
            .ShouldBe(Enumerable.Range(1, messages).Select(n => (long)n));
    }

    [Fact(Timeout = Hang)]
    public async Task A_stop_on_another_node_reaches_the_producer()
    {
        var a = await _nodes.StartAsync(configure: Nodes.TakeTime, time: new ManualTimeProvider());
        var b = await _nodes.StartAsync(configure: Nodes.TakeTime);
        var run = await Nodes.CreateRunAsync(a);
        await RunReading.UntilAsync(() => Task.FromResult(a.IsListening));
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Messages, news);
        await run.AppendAsync(1, 5);

        (await (await Nodes.FindAsync(b, run)).CloseAsync(RunEnd.Stopped, TestEnds)).ShouldBe(RunStatus.Stopped);

        while ((await run.GetStateAsync(TestEnds)).Status == RunStatus.Running)
        {
            await news.WaitAsync();
        }

        (await run.AppendAsync(RunReading.Text("late"), TestEnds)).Outcome.ShouldBe(AppendOutcome.Closed);
        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Stopped);
        (await run.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Stopped);
    }

    [Fact(Timeout = Hang)]
    public async Task A_thousand_readers_of_a_node_share_what_is_fetched_once()
    {
        const int readers = 1000, events = 200;
        await using var proxy = FaultProxy.Start(cluster.Address);
        var a = await _nodes.StartAsync();
        var b = await _nodes.StartAsync(proxy: proxy);
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        var reading = Enumerable.Range(0, readers).Select(_ => elsewhere.FollowAsync()).ToArray();
        var item = RunReading.Text(new string('x', 1000));

        for (var n = 0; n < events; n++)
        {
            (await run.AppendAsync(item, TestEnds)).Outcome.ShouldBe(AppendOutcome.Appended);
        }

        await run.CloseAsync(RunEnd.Completed, TestEnds);

        var all = await Task.WhenAll(reading);
        all.ShouldAllBe(records => records.Count == events + 1);
        all.ShouldAllBe(records => records.Zip(all[0]).All(pair => ReferenceEquals(pair.First, pair.Second)));
        proxy.DownstreamBytes.ShouldBeLessThan(10 * events * 1000);
    }

    [Fact(Timeout = Hang)]
    public async Task Messages_sent_over_several_nodes_and_cut_lines_arrive_once_in_order()
    {
        const int senders = 4, each = 40;
        await using var proxy = FaultProxy.Start(cluster.Address);
        var a = await _nodes.StartAsync();
        RunStore[] others = [await _nodes.StartAsync(), await _nodes.StartAsync(proxy: proxy)];
        var run = await Nodes.CreateRunAsync(a);
        var receiving = Task.Run(ReceiveAllAsync);

        await Task.WhenAll(Enumerable.Range(0, senders).Select(sender => Task.Run(async () =>
        {
            for (var n = 1; n <= each; n++)
            {
                await SendAsync(
                    others[(sender + n) % 2], new RunMessage { Sender = $"{sender}", Number = n, Data = RunReading.Number(n).Data });
            }
        })));

        var messages = await receiving;
        for (var sender = 0; sender < senders; sender++)
        {
            messages.Where(
                message => string.Equals(message.Sender, $"{sender}", StringComparison.Ordinal)).Select(message => message.Number)
                .ShouldBe(Enumerable.Range(1, each).Select(n => (long)n));
        }

        // Sends until it is told that the message is there, as a client does, and has its line cut at every fifth.
        async Task SendAsync(RunStore store, RunMessage message)
        {
            while (true)
            {
                try
                {
                    var sending = (await Nodes.FindAsync(store, run)).ReceiveAsync(message, TestEnds);
                    if (message.Number % 5 == 0)
                    {
                        proxy.CutAll();
                    }

                    (await sending).Outcome.ShouldBeOneOf(ReceiveOutcome.Accepted, ReceiveOutcome.Repeated);
                    return;
                }
                catch (RunStoreException)
                {
                }
            }
        }

        async Task<List<RunMessage>> ReceiveAllAsync()
        {
            var news = new RunSignal();
            using var subscription = run.Subscribe(RunNews.Messages, news);
            var received = new List<RunMessage>();
            while (received.Count < senders * each)
            {
                var some = await run.ReadMessagesAsync(received.Count, TestEnds);
                received.AddRange(some);
                if (some.Count == 0)
                {
                    await news.WaitAsync();
                }
            }

            received.Select(message => message.Position).ShouldBe(Enumerable.Range(1, senders * each).Select(n => (long)n));
            return received;
        }
    }
}
