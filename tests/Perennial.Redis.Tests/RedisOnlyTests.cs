using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Redis.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;
using StackExchange.Redis;

namespace Perennial.Redis.Tests;

/// <summary>Connections that Redis closes, keys that expire, and the number of keys of starts.</summary>
public sealed class RedisOnlyTests(RedisServer server) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(server);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Readers_go_on_when_the_listening_connection_is_killed()
    {
        // The clock of the reader's node stands still: nothing but the connection that is open again wakes it.
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(configure: Nodes.TakeTime, time: new ManualTimeProvider()));
        var run = await Nodes.CreateRunAsync(a);
        var reading = (await Nodes.FindAsync(b, run)).FollowAsync();
        await run.AppendAsync(1, 10);

        (await server.KillListenersAsync()).ShouldBeGreaterThanOrEqualTo(2);
        await run.AppendAsync(11, 20);
        await run.CloseAsync(RunEnd.Completed, TestEnds);

        (await reading).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task Producers_and_readers_go_on_when_every_connection_is_killed_again_and_again()
    {
        const int events = 400, kills = 20;
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync());
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        var producing = run.AppendAsync(1, events);

        for (var kill = 1; kill <= kills; kill++)
        {
            await elsewhere.FollowPatientlyAsync(kill * events / (kills + 1));
            await server.KillClientsAsync("normal");
        }

        await producing;
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        (await elsewhere.FollowPatientlyAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task An_open_run_does_not_expire_and_every_key_of_one_that_ended_does()
    {
        var store = await _nodes.StartAsync();
        var (ended, open) = (await Nodes.CreateRunAsync(store), await Nodes.CreateRunAsync(store));
        foreach (var run in new[] { ended, open })
        {
            await run.AppendAsync(1, 3);
            await run.ReceiveAsync(new RunMessage { Key = "key", Data = "a"u8.ToArray() }, TestEnds);
            await run.ReceiveAsync(new RunMessage { Sender = "sender", Number = 1, Data = "b"u8.ToArray() }, TestEnds);
            await run.ReceiveAsync(new RunMessage { Sender = "sender", Number = 2, Refusal = "no", Data = "c"u8.ToArray() }, TestEnds);
        }

        await ended.CloseAsync(RunEnd.Completed, TestEnds);
        await ended.ReceiveAsync(new RunMessage { Key = "key", Data = "a"u8.ToArray() }, TestEnds);
        await ended.ReceiveAsync(new RunMessage { Key = "another", Data = "a"u8.ToArray() }, TestEnds);
        await ended.GetSenderAsync("sender", 3, TestEnds);

        (await ExpiriesAsync(open)).ShouldBe([false, false, false, false, false, false]);
        (await ExpiriesAsync(ended)).ShouldBe([true, true, true, true, true]);     // no messages wait for it any more
    }

    [Fact(Timeout = Hang)]
    public async Task Old_keys_and_the_oldest_of_too_many_are_forgotten()
    {
        var options = new PerennialServerOptions();
        options.Starts.MaxKeys = 2;
        var store = await _nodes.StartAsync(options);
        foreach (var name in new[] { "a", "b", "c" })
        {
            var key = Key(name);
            await store.ClaimStartAsync(key, TestEnds);
            await store.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Start = key }, TestEnds);
        }

        (await store.ClaimStartAsync(Key("b"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Started);
        (await store.ClaimStartAsync(Key("c"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Started);
        var kept = await server.Observer.KeyTimeToLiveAsync(new Names(_nodes.Space).Start("c"));
        kept.ShouldNotBeNull().ShouldBeInRange(TimeSpan.Zero, options.Starts.KeyRetention);
        (await store.ClaimStartAsync(Key("a"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_with_a_damaged_key_fails_alone_and_does_not_keep_others_from_ending()
    {
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync());
        var (bad, good) = (await Nodes.CreateRunAsync(a), await Nodes.CreateRunAsync(a));
        await server.Observer.StringSetAsync($"{new Names(_nodes.Space).Run(bad.Id)}:e", "damaged");

        var refused = bad.AppendAsync(RunReading.Number(1), TestEnds).AsTask();
        await good.AppendAsync(1, 10);
        await Should.ThrowAsync<RunStoreException>(refused);
        await a.StoppedAsync(TestEnds);

        (await (await Nodes.FindAsync(b, good)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        (await b.FindAsync(bad.Id, TestEnds)).ShouldBeNull();
    }

    private static StartKey Key(string name) => new StartKey { Name = name, Fingerprint = "same", Request = Guid.NewGuid() };

    /// <summary>Whether each key of a run expires.</summary>
    private async Task<List<bool>> ExpiriesAsync(RunLog run)
    {
        var key = new Names(_nodes.Space).Run(run.Id).ToString();
        var expiries = new List<bool>();
        foreach (var part in new RedisKey[] { key, $"{key}:e", $"{key}:m", $"{key}:n", $"{key}:s", $"{key}:k" })
        {
            if (await server.Observer.KeyExistsAsync(part))
            {
                expiries.Add(await server.Observer.KeyTimeToLiveAsync(part) is not null);
            }
        }

        return expiries;
    }
}
