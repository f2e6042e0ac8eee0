using System.Diagnostics;
using System.Globalization;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>A node that is gone ends its runs within the lease; one that merely seems gone is fenced.</summary>
public sealed class ProducerLostTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;
    private const int RenewalsInLease = 5;
    private const int AttemptsInRenewal = 5;

    private static readonly TimeSpan Renewal = new NodeStoreOptions().LeaseDuration / RenewalsInLease;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Readers_of_a_node_that_crashed_are_told_so_within_the_lease_and_not_too_early()
    {
        var time = new ManualTimeProvider();
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: time));
        var run = await Nodes.CreateRunAsync(a);
        await run.AppendAsync(1, 7);
        var elsewhere = await Nodes.FindAsync(b, run);
        var reading = elsewhere.FollowAsync();

        await a.DisposeAsync();
        await PassAsync(time, renewals: 3);
        (await elsewhere.GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Running);
        await PassAsync(time, renewals: 2);

        (await elsewhere.GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Failed);
        (await reading).ShouldBeNumbersAnd(RunEnd.ProducerLost);
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_that_comes_back_late_is_fenced_and_may_begin_anew()
    {
        var time = new ManualTimeProvider();
        var (late, b) = (await _nodes.StartAsync(time: new ManualTimeProvider()), await _nodes.StartAsync(time: time));
        var run = await Nodes.CreateRunAsync(late);
        await run.AppendAsync(1, 3);
        var elsewhere = await Nodes.FindAsync(b, run);

        await PassAsync(time, RenewalsInLease);
        (await run.AppendAsync(RunReading.Number(4), TestEnds)).Outcome.ShouldBe(AppendOutcome.Closed);
        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Failed);
        (await elsewhere.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        (await run.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);

        var next = await Nodes.CreateRunAsync(late);
        await next.AppendAsync(1, 3);
        await next.CloseAsync(RunEnd.Completed, TestEnds);
        (await (await Nodes.FindAsync(b, next)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_node_that_renews_its_lease_keeps_its_runs()
    {
        var (timeOfA, timeOfB) = (new ManualTimeProvider(), new ManualTimeProvider());
        var (a, b) = (await _nodes.StartAsync(time: timeOfA), await _nodes.StartAsync(time: timeOfB));
        var run = await Nodes.CreateRunAsync(a);

        for (var n = 0; n < 3 * RenewalsInLease; n++)
        {
            await PassAsync(timeOfA, renewals: 1);
            await PassAsync(timeOfB, renewals: 1);
        }

        await run.AppendAsync(1, 1);
        (await (await Nodes.FindAsync(b, run)).GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Running);
    }

    [Fact(Timeout = Hang)]
    public async Task A_time_without_the_database_costs_nobody_a_run()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        var time = new ManualTimeProvider();
        var a = await _nodes.StartAsync(time: new ManualTimeProvider());
        var postponed = new PostponedWork("lease");
        var b = await _nodes.StartAsync(time: time, proxy: proxy, logger: postponed);
        var run = await Nodes.CreateRunAsync(a);
        await PassAsync(time, renewals: 2);

        proxy.Refusing = true;
        proxy.CutAll();
        // The next attempt may be scheduled while the clock moves, so its exact time is not known: the clock moves until the attempts were
        // made.
        var step = Renewal / AttemptsInRenewal / 10;
        await RunReading.UntilAsync(() =>
        {
            time.Advance(step);
            return Task.FromResult(postponed.Count >= RenewalsInLease * AttemptsInRenewal);
        });

        proxy.Refusing = false;
        var before = await BeatsAsync();
        await RunReading.UntilAsync(async () =>
        {
            time.Advance(step);
            return await BeatsAsync() >= before + 2;
        });

        await run.AppendAsync(1, 1);

        Task<long> BeatsAsync() => cluster.BeatsAsync(_nodes.Space);
    }

    [Fact(Timeout = Hang)]
    public async Task A_node_that_stops_ends_its_runs_at_once()
    {
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: new ManualTimeProvider()));
        var run = await Nodes.CreateRunAsync(a);
        await RunReading.UntilAsync(() => Task.FromResult(b.IsListening));
        var reading = (await Nodes.FindAsync(b, run)).FollowAsync();
        var appends = Enumerable.Range(1, 50).Select(n => run.AppendAsync(RunReading.Number(n), TestEnds).AsTask()).ToArray();

        await a.StoppedAsync(TestEnds);

        (await Task.WhenAll(appends)).ShouldAllBe(result => result.Outcome == AppendOutcome.Appended);
        (await reading).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        await Should.ThrowAsync<RunStoreException>(async () => await run.AppendAsync(RunReading.Number(51), TestEnds));
    }

    [Fact(Timeout = Hang)]
    public async Task Nobody_waits_for_ever_on_a_node_that_was_torn_down()
    {
        var a = await _nodes.StartAsync();
        var run = await Nodes.CreateRunAsync(a);
        await run.AppendAsync(1, 2);
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Records, news);
        await run.ReadAsync(0, int.MaxValue, TestEnds);

        await a.DisposeAsync();

        await news.WaitAsync();
        await Should.ThrowAsync<RunStoreException>(async () => await run.ReadAsync(2, int.MaxValue, TestEnds));
    }

    [Fact(Timeout = Hang)]
    public async Task A_process_that_is_killed_leaves_all_it_has_seen_recorded_and_an_honest_end()
    {
        var b = await _nodes.StartAsync(configure: options => options.LeaseDuration = LoneProducer.Lease);
        var id = Guid.NewGuid().ToString("N");
        using var process = Process.Start(new ProcessStartInfo(
            Environment.ProcessPath!,
            ["produce", cluster.ConnectionString, _nodes.Space, id]) { RedirectStandardOutput = true,
            UseShellExecute = false })!;
        for (var n = 1; n <= 100; n++)
        {
            (await process.StandardOutput.ReadLineAsync(TestEnds)).ShouldBe(n.ToString(CultureInfo.InvariantCulture));
        }

        var run = (await b.FindAsync(id, TestEnds)).ShouldNotBeNull();
        var reading = run.FollowAsync();

        process.Kill();
        var seen = 100 + (await process.StandardOutput.ReadToEndAsync(TestEnds)).Count(letter => letter == '\n');

        var records = await reading;
        records.ShouldBeNumbersAnd(RunEnd.ProducerLost);
        records.Count.ShouldBeGreaterThan(seen);
    }

    /// <summary>Lets a node renew and look so many times, and returns when it has done so.</summary>
    private static async Task PassAsync(ManualTimeProvider time, int renewals)
    {
        for (var n = 0; n < renewals; n++)
        {
            await time.WaitForTimerAsync(Renewal, TestEnds);
            time.Advance(Renewal);
        }

        await time.WaitForTimerAsync(Renewal, TestEnds);
    }
}
