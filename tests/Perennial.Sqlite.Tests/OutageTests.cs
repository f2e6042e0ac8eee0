using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;
using Perennial.Testing;

namespace Perennial.Sqlite.Tests;

/// <summary>What becomes of runs while the file has no room or is locked.</summary>
public sealed class OutageTests : IAsyncDisposable
{
    private const int Hang = 120_000;

    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    private static RunEvent Large => RunReading.Text(new string('x', 400_000));

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Finished_runs_are_forgotten_early_when_there_is_no_room()
    {
        var time = new ManualTimeProvider();
        var store = await StartSmallAsync(time);
        var runs = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => StoreFile.CreateRunAsync(store)));
        await runs[0].AppendAsync(Large, TestEnds);
        await runs[0].CloseAsync(RunEnd.Completed, TestEnds);
        time.Advance(TimeSpan.FromSeconds(1));
        await runs[1].AppendAsync(1, 10);
        await runs[1].CloseAsync(RunEnd.Completed, TestEnds);
        await runs[2].AppendAsync(Large, TestEnds);

        var waiting = runs[2].AppendAsync(Large, TestEnds).AsTask();
        await RetryUntilAsync(time, waiting);

        (await waiting).Outcome.ShouldBe(AppendOutcome.Appended);
        (await store.FindAsync(runs[0].Id, TestEnds)).ShouldBeNull();
        (await store.FindAsync(runs[1].Id, TestEnds)).ShouldNotBeNull();
    }

    [Fact(Timeout = Hang)]
    public async Task Events_wait_for_room_and_are_recorded_when_there_is_some()
    {
        var time = new ManualTimeProvider();
        var store = await StartSmallAsync(time);
        var (other, run) = (await StoreFile.CreateRunAsync(store), await StoreFile.CreateRunAsync(store));
        await other.AppendAsync(Large, TestEnds);
        await run.AppendAsync(Large, TestEnds);

        var waiting = run.AppendAsync(Large, TestEnds).AsTask();
        await time.WaitForTimerAsync(RetryDelay, TestEnds);

        waiting.IsCompleted.ShouldBeFalse();
        var health = await store.CheckHealthAsync(TestEnds);
        health.Status.ShouldBe(HealthStatus.Unhealthy);
        health.Description.ShouldNotBeNull().ShouldContain("no room");
        // Other runs go on as long as their events fit, and the one that waits can still be read.
        var small = await StoreFile.CreateRunAsync(store);
        (await run.FollowAsync(1)).Count.ShouldBe(1);

        await EndAsync();
        await RetryUntilAsync(time, waiting);
        (await waiting).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = 2 });
        await small.AppendAsync(1, 3);
        (await store.CheckHealthAsync(TestEnds)).Status.ShouldNotBe(HealthStatus.Unhealthy);

        async Task EndAsync()
        {
            var ending = other.CloseAsync(RunEnd.Completed, TestEnds).AsTask();
            await RetryUntilAsync(time, ending);
            (await ending).ShouldBe(RunStatus.Completed);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_whose_event_has_waited_too_long_for_room_ends_as_failed()
    {
        var time = new ManualTimeProvider();
        var store = await StartSmallAsync(time);
        var run = await StoreFile.CreateRunAsync(store);
        await run.AppendAsync(Large, TestEnds);
        await run.AppendAsync(Large, TestEnds);

        var waiting = run.AppendAsync(Large, TestEnds).AsTask();
        await time.WaitForTimerAsync(RetryDelay, TestEnds);
        time.Advance(TimeSpan.FromSeconds(30));

        (await Should.ThrowAsync<RunStoreException>(waiting)).InnerException.ShouldNotBeNull().Message.ShouldContain("no room");
        var reading = run.FollowAsync();
        await RetryUntilAsync(time, reading);
        var records = await reading;
        records.Count.ShouldBe(3);
        RunReading.TextOf(records[^1]).ShouldContain("store_unavailable");
        await Should.ThrowAsync<RunStoreException>(async () => await run.AppendAsync(RunReading.Number(4), TestEnds));
        (await (await StoreFile.FindAsync(store, run.Id)).CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Failed);
    }

    [Fact(Timeout = Hang)]
    public async Task A_file_that_is_nearly_full_is_degraded()
    {
        var store = await StartSmallAsync(TimeProvider.System);
        var run = await StoreFile.CreateRunAsync(store);
        (await store.CheckHealthAsync(TestEnds)).Description.ShouldNotBe("The file of runs is nearly as large as MaxFileBytes allows.");

        await run.AppendAsync(RunReading.Text(new string('x', 900_000)), TestEnds);

        var health = await store.CheckHealthAsync(TestEnds);
        health.Status.ShouldBe(HealthStatus.Degraded);
        health.Description.ShouldBe("The file of runs is nearly as large as MaxFileBytes allows.");
    }

    [Fact(Timeout = Hang)]
    public async Task While_another_program_locks_the_file_events_wait_and_everything_else_says_so()
    {
        var store = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(store);
        await run.AppendAsync(1, 3);
        Task<AppendResult> waiting;
        using (var other = new Session(_file.Path))
        {
            other.Run("BEGIN EXCLUSIVE");
            waiting = run.AppendAsync(RunReading.Number(4), TestEnds).AsTask();

            var refusal = await Should.ThrowAsync<RunStoreException>(() => StoreFile.CreateRunAsync(store));
            refusal.Message.ShouldBe("The file of runs is locked by another program.");
            var health = await store.CheckHealthAsync(TestEnds);
            health.Status.ShouldBe(HealthStatus.Unhealthy);
            health.Description.ShouldBe("The file of runs is locked by another program.");
            waiting.IsCompleted.ShouldBeFalse();
            (await run.FollowAsync(3)).Count.ShouldBe(3);
        }

        (await waiting).ShouldBe(new AppendResult { Outcome = AppendOutcome.Appended, Sequence = 4 });
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        (await (await StoreFile.FindAsync(store, run.Id)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
    }

    [Fact(Timeout = Hang)]
    public async Task An_event_that_the_file_refuses_fails_its_own_run_alone()
    {
        var store = await _file.StartAsync();
        _file.Execute("CREATE TRIGGER refuse BEFORE INSERT ON events WHEN NEW.type = 'poison' BEGIN SELECT RAISE(ABORT, 'poison'); END");
        var (bad, good) = (await StoreFile.CreateRunAsync(store), await StoreFile.CreateRunAsync(store));

        var before = Enumerable.Range(1, 10).Select(n => good.AppendAsync(RunReading.Number(n), TestEnds).AsTask()).ToArray();
        var poison = bad.AppendAsync(RunReading.Text("x") with { EventType = "poison" }, TestEnds).AsTask();
        var after = Enumerable.Range(11, 10).Select(n => good.AppendAsync(RunReading.Number(n), TestEnds).AsTask()).ToArray();

        await Should.ThrowAsync<RunStoreException>(poison);
        (await Task.WhenAll([.. before, .. after]))
            .Select(result => result.Sequence)
            .ShouldBe(Enumerable.Range(1, 20).Select(n => (long)n));
        await good.CloseAsync(RunEnd.Completed, TestEnds);
        (await good.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
        (await bad.FollowAsync()).ShouldHaveSingleItem().Content.EventType.ShouldBe("perennial.failed");
    }

    /// <summary>A store whose file has room for two large events.</summary>
    private Task<SqliteRunStore> StartSmallAsync(TimeProvider time) => _file.StartAsync(
        new PerennialServerOptions(), options => options.MaxFileBytes = 1 << 20, time);

    /// <summary>Lets the writer try again until a task is complete. Of the two timers one is that of the sweep.</summary>
    private static async Task RetryUntilAsync(ManualTimeProvider time, Task task)
    {
        while (await Task.WhenAny(task, time.WaitForTimersAsync(2, TestEnds)) != task)
        {
            time.AdvanceToNextTimer();
        }
    }
}
