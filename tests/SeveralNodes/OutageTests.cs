using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>What becomes of writes when the database is away, restarts, hangs up in mid-sentence or says no.</summary>
public sealed class OutageTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Theory(Timeout = Hang)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_restart_of_the_database_loses_nothing_and_keeps_the_order(bool isCrash)
    {
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync());
        var run = await Nodes.CreateRunAsync(a);
        var elsewhere = await Nodes.FindAsync(b, run);
        var readings = new[] { run.FollowPatientlyAsync(), elsewhere.FollowPatientlyAsync() };
        var producing = run.AppendAsync(1, 600);
        await elsewhere.FollowAsync(100);

        await cluster.StopAsync(isCrash);
        await cluster.StartAsync();

        await producing;
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        foreach (var records in await Task.WhenAll(readings))
        {
            records.ShouldBeNumbersAnd(RunEnd.Completed);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task Cutting_the_line_again_and_again_records_nothing_twice()
    {
        const int runs = 8, events = 300, cuts = 25;
        await using var proxy = FaultProxy.Start(cluster.Address);
        var a = await _nodes.StartAsync(proxy: proxy);
        var b = await _nodes.StartAsync();
        var logs = await Task.WhenAll(Enumerable.Range(0, runs).Select(_ => Nodes.CreateRunAsync(a)));
        var first = await Nodes.FindAsync(b, logs[0]);

        var producing = Task.WhenAll(logs.Select(async run =>
        {
            await run.AppendAsync(1, events);
            await run.CloseAsync(RunEnd.Completed, TestEnds);
        }));
        for (var cut = 1; cut <= cuts; cut++)
        {
            await first.FollowAsync(cut * events / (cuts + 1));
            proxy.CutAll();
        }

        await producing;
        foreach (var run in logs)
        {
            (await (await Nodes.FindAsync(b, run)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_write_that_has_waited_for_too_long_fails_and_the_run_says_so_when_the_database_is_back()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        var time = new ManualTimeProvider();
        var a = await _nodes.StartAsync(configure: Nodes.TakeTime, time: time, proxy: proxy);
        var b = await _nodes.StartAsync(configure: Nodes.TakeTime);
        var (run, patient) = (await Nodes.CreateRunAsync(a), await Nodes.CreateRunAsync(a));
        await run.AppendAsync(1, 3);
        await patient.AppendAsync(1, 3);

        proxy.Refusing = true;
        proxy.CutAll();
        var waiting = run.AppendAsync(RunReading.Number(4), TestEnds).AsTask();
        await RetryAsync(TimeSpan.FromSeconds(29));
        var younger = patient.AppendAsync(4, 6);
        waiting.IsCompleted.ShouldBeFalse();
        await RetryAsync(TimeSpan.FromSeconds(1));
        await Should.ThrowAsync<RunStoreException>(waiting);
        await Should.ThrowAsync<RunStoreException>(async () => await run.AppendAsync(RunReading.Number(5), TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await run.CloseAsync(RunEnd.Completed, TestEnds));
        proxy.Refusing = false;
        await UntilConnectedAsync(a);
        await RetryAsync(TimeSpan.FromMilliseconds(200));

        await younger;
        var records = await (await Nodes.FindAsync(b, run)).FollowAsync();
        records.Count.ShouldBe(4);
        RunReading.TextOf(records[^1]).ShouldContain("store_unavailable");

        async Task RetryAsync(TimeSpan by)
        {
            await time.WaitForTimerAsync(TimeSpan.FromMilliseconds(200), TestEnds);
            time.Advance(by);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task What_does_not_wait_for_its_writes_is_refused_at_the_limit_and_what_waits_is_not()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        var a = await _nodes.StartAsync(
            configure: options => options.MaxQueuedBytes = 1 << 20, proxy: proxy);
        var (greedy, modest) = (await Nodes.CreateRunAsync(a), await Nodes.CreateRunAsync(a));
        var megabyte = RunReading.Text(new string('x', 1_000_000));

        proxy.StallAll();
        var first = greedy.AppendAsync(megabyte, TestEnds).AsTask();
        (await greedy.AppendAsync(megabyte, TestEnds)).Outcome.ShouldBe(AppendOutcome.StoreFull);
        var other = modest.AppendAsync(megabyte, TestEnds).AsTask();
        proxy.ResumeAll();

        (await first).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = 1 });
        (await other).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = 1 });
    }

    [Fact(Timeout = Hang)]
    public async Task Everything_else_says_that_the_store_cannot_be_used()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        var a = await _nodes.StartAsync(proxy: proxy);
        var run = await Nodes.CreateRunAsync(a);

        proxy.Refusing = true;
        proxy.CutAll();

        await Should.ThrowAsync<RunStoreException>(async () => await a.FindAsync("id", TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await Nodes.CreateRunAsync(a));
        await Should.ThrowAsync<RunStoreException>(async () => await run.GetStateAsync(TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await run.ReadAsync(0, 1, TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await run.ReceiveAsync(new RunMessage { Key = "k" }, TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await run.GetSenderAsync("s", 1, TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await run.ReadMessagesAsync(0, TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await Nodes.Create(
            DatabaseServer.ConnectionStringTo(proxy.Address.Port), _nodes.Space).StartingAsync(TestEnds));
    }

    private static Task UntilConnectedAsync(NodeStore store) => RunReading.UntilAsync(async () =>
    {
        try
        {
            await store.FindAsync("id", TestEnds);
            return true;
        }
        catch (RunStoreException)
        {
            return false;
        }
    });
}
