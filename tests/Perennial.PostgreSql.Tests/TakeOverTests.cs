using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>Runs that name a resumption survive their node: exactly one other takes them over, and the first one is fenced.</summary>
public sealed class TakeOverTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;
    private const int RenewalsInLease = 5;
    private const string Resumption = "chat";

    private static readonly TimeSpan Renewal = new NodeStoreOptions().LeaseDuration / RenewalsInLease;
    private static readonly TimeSpan Sweep = TimeSpan.FromSeconds(1);

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_run_goes_on_where_it_was_with_the_messages_that_were_not_finished()
    {
        var time = new ManualTimeProvider();
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: time));
        var run = await CreateRunAsync(a);
        await run.AppendAsync(1, 3);
        foreach (var text in (string[])["finished", "waits"])
        {
            await run.ReceiveAsync(new RunMessage { Key = text, Data = System.Text.Encoding.UTF8.GetBytes(text) }, TestEnds);
        }

        var first = (await run.ReadMessagesAsync(0, TestEnds))[0];
        await run.ReadMessagesAsync(first.Position, TestEnds);
        var elsewhere = await Nodes.FindAsync(b, run);
        var reading = elsewhere.FollowAsync();

        await a.DisposeAsync();
        (await TakeOverAsync(b)).ShouldBeEmpty();
        await PassAsync(time, RenewalsInLease);
        (await elsewhere.GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Running);
        (await b.TakeOverAsync(["unknown"], 10, TestEnds)).ShouldBeEmpty();
        (await b.TakeOverAsync([Resumption], 0, TestEnds)).ShouldBeEmpty();
        var taken = (await TakeOverAsync(b)).ShouldHaveSingleItem();
        (await TakeOverAsync(b)).ShouldBeEmpty();

        (taken.Id, taken.Epoch, taken.Description.ResumeWith).ShouldBe((run.Id, run.Epoch, Resumption));
        (await taken.ReadMessagesAsync(0, TestEnds)).Select(static message => message.Text).ShouldBe(["waits"]);
        await taken.AppendAsync(4, 6);
        (await taken.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Completed);
        (await reading).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_that_comes_back_late_records_nothing_and_learns_it()
    {
        var (timeOfLate, time) = (new ManualTimeProvider(), new ManualTimeProvider());
        var (late, b) = (await _nodes.StartAsync(time: timeOfLate), await _nodes.StartAsync(time: time));
        var run = await CreateRunAsync(late);
        await run.AppendAsync(1, 3);
        await PassAsync(time, RenewalsInLease);
        var taken = (await TakeOverAsync(b)).ShouldHaveSingleItem();
        await taken.ReceiveAsync(new RunMessage { Key = "k", Data = "for the new one"u8.ToArray() }, TestEnds);

        (await run.ReadMessagesAsync(0, TestEnds)).ShouldBeEmpty();
        (await run.ReadMessagesAsync(1, TestEnds)).ShouldBeEmpty();
        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Running);
        run.IsFenced.ShouldBeTrue();
        (await run.AppendAsync(RunReading.Number(99), TestEnds)).Outcome.ShouldBe(AppendOutcome.Fenced);

        taken.IsFenced.ShouldBeFalse();
        (await taken.ReadMessagesAsync(0, TestEnds)).ShouldHaveSingleItem();
        await taken.AppendAsync(4, 4);
        (await run.CloseAsync(RunEnd.Stopped, TestEnds)).ShouldBe(RunStatus.Stopped);
        (await run.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Stopped);
    }

    [Fact(Timeout = Hang)]
    public async Task A_producer_without_anything_to_write_learns_that_it_is_fenced()
    {
        var (timeOfLate, time) = (new ManualTimeProvider(), new ManualTimeProvider());
        var (late, b) = (await _nodes.StartAsync(time: timeOfLate), await _nodes.StartAsync(time: time));
        var run = await CreateRunAsync(late);
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Messages, news);
        await PassAsync(time, RenewalsInLease);
        await TakeOverAsync(b);
        run.IsFenced.ShouldBeFalse();

        while (!run.IsFenced)
        {
            var waiting = news.WaitAsync();
            await timeOfLate.WaitForTimerAsync(Sweep, TestEnds);
            timeOfLate.Advance(Sweep);
            await waiting;
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_node_that_takes_its_own_run_back_fences_its_first_producer()
    {
        var (timeOfA, timeOfB) = (new ManualTimeProvider(), new ManualTimeProvider());
        var (a, b) = (await _nodes.StartAsync(time: timeOfA), await _nodes.StartAsync(time: timeOfB));
        var first = await CreateRunAsync(a);
        await first.AppendAsync(1, 3);
        await PassAsync(timeOfB, RenewalsInLease);
        await TakeOverAsync(b);
        await b.StoppedAsync(TestEnds);
        await PassAsync(timeOfA, renewals: 1);
        var second = (await TakeOverAsync(a)).ShouldHaveSingleItem();

        var late = first.AppendAsync(RunReading.Number(99), TestEnds).AsTask();
        var next = second.AppendAsync(RunReading.Number(4), TestEnds).AsTask();

        (await late).Outcome.ShouldBe(AppendOutcome.Fenced);
        (await next).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = 4 });
        await second.CloseAsync(RunEnd.Completed, TestEnds);
        (await second.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task Of_many_nodes_each_run_has_one_that_takes_it_over()
    {
        var stopped = await _nodes.StartAsync();
        var others = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _nodes.StartAsync(configure: Nodes.TakeTime)));
        var runs = new List<string>();
        for (var n = 0; n < 40; n++)
        {
            runs.Add((await CreateRunAsync(stopped)).Id);
        }

        await stopped.StoppedAsync(TestEnds);
        var taken = await Task.WhenAll(
            others.Concat(others).Select(node => Task.Run(async () => await node.TakeOverAsync([Resumption], 15, TestEnds))));
        var rest = await others[0].TakeOverAsync([Resumption], 40, TestEnds);

        taken.ShouldAllBe(some => some.Count <= 15);
        taken.SelectMany(static some => some).Concat(rest).Select(static run => run.Id).ShouldBe(runs, ignoreOrder: true);
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_that_no_node_can_resume_ends_as_lost_after_a_lease()
    {
        var time = new ManualTimeProvider();
        var (a, b) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: time));
        var run = await CreateRunAsync(a);
        await run.AppendAsync(1, 3);
        var elsewhere = await Nodes.FindAsync(b, run);
        await a.StoppedAsync(TestEnds);
        (await elsewhere.GetStateAsync(TestEnds)).Status.ShouldBe(RunStatus.Running);

        await RunReading.UntilAsync(async () =>
        {
            time.Advance(Sweep);
            return (await elsewhere.GetStateAsync(TestEnds)).Status != RunStatus.Running;
        });

        (await elsewhere.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        (await TakeOverAsync(b)).ShouldBeEmpty();
    }

    private static async Task<RunLog> CreateRunAsync(RunStore store) => await store.CreateAsync(
        new NewRun
        {
            Id = Guid.NewGuid().ToString("N"),
            Epoch = Guid.NewGuid().ToString("N")[..8],
            TakesMessages = true,
            Description = new RunDescription { ResumeWith = Resumption },
        },
        TestEnds);

    private static async Task<IReadOnlyList<RunLog>> TakeOverAsync(RunStore store) =>
        await store.TakeOverAsync(["another", Resumption], 10, TestEnds);

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
