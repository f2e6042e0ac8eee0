using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;

namespace Perennial.Sqlite.Tests;

/// <summary>What is left of a process that is killed, and of one that stops.</summary>
public sealed class CrashTests : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Every_confirmed_event_of_a_killed_process_is_read_once_and_its_run_ends_at_the_next_start()
    {
        const int rounds = 20, events = 1000;
        var runs = new List<(string Id, int Confirmed)>();
        for (var round = 1; round <= rounds; round++)
        {
            await using var producer = await ProducerProcess.StartAsync(_file.Path);
            var before = events * round / rounds;
            await producer.UntilAsync(before);
            runs.Add((producer.Run, Math.Max(before, await producer.KillAsync())));
        }

        // Each process has ended the run of the process before it; this one ends the last.
        var store = await _file.StartAsync();

        foreach (var (id, confirmed) in runs)
        {
            var records = await (await StoreFile.FindAsync(store, id)).FollowAsync();
            records.ShouldBeNumbersAnd(RunEnd.ProducerLost);
            records.Count.ShouldBeGreaterThan(confirmed);
        }

        _file.Execute("PRAGMA integrity_check").ShouldBe("ok");
    }

    [Fact(Timeout = Hang)]
    public async Task Finished_runs_are_whole_after_a_restart_and_open_ones_end_as_lost()
    {
        var before = await _file.StartAsync();
        var (finished, open) = (await StoreFile.CreateRunAsync(before), await StoreFile.CreateRunAsync(before));
        await finished.AppendAsync(1, 300);
        await finished.CloseAsync(RunEnd.Completed, TestEnds);
        await open.AppendAsync(1, 300);
        await before.DisposeAsync();

        var after = await _file.StartAsync();

        (await (await StoreFile.FindAsync(after, finished.Id)).FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
        var lost = await StoreFile.FindAsync(after, open.Id);
        lost.Epoch.ShouldBe(open.Epoch);
        (await lost.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        (await lost.AppendAsync(RunReading.Number(301), TestEnds)).Outcome.ShouldBe(AppendOutcome.Closed);
        (await lost.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Failed);
    }

    [Theory(Timeout = Hang)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task After_a_crash_of_the_machine_readers_are_told_of_a_gap_unless_every_event_was_flushed(bool isFlushed)
    {
        var before = await _file.StartAsync(configure: options => options.FlushEveryEvent = isFlushed);
        var (finished, open) = (await StoreFile.CreateRunAsync(before), await StoreFile.CreateRunAsync(before));
        await finished.CloseAsync(RunEnd.Completed, TestEnds);
        await open.AppendAsync(1, 3);
        await before.DisposeAsync();
        _file.Execute("UPDATE store SET boot = 'another boot'");

        var after = await _file.StartAsync();

        var lost = await StoreFile.FindAsync(after, open.Id);
        string.Equals(lost.Epoch, open.Epoch, StringComparison.Ordinal).ShouldBe(isFlushed);
        (await lost.FollowAsync()).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        (await StoreFile.FindAsync(after, finished.Id)).Epoch.ShouldBe(finished.Epoch);
    }

    [Fact(Timeout = Hang)]
    public async Task A_stop_ends_open_runs_for_the_readers_that_are_there()
    {
        var store = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(store);
        await run.AppendAsync(1, 3);
        var reading = run.FollowAsync();

        await store.StoppedAsync(TestEnds);

        (await reading).ShouldBeNumbersAnd(RunEnd.ProducerLost);
        _file.Execute("SELECT is_clean FROM store").ShouldBe(1L);
    }

    [Fact(Timeout = Hang)]
    public async Task Readers_of_a_store_that_is_disposed_learn_that_it_is_closed()
    {
        var store = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(store);
        var news = new RunSignal();
        using var subscription = run.Subscribe(RunNews.Records, news);
        var waiting = news.WaitAsync();

        await store.DisposeAsync();

        await waiting;
        await Should.ThrowAsync<RunStoreException>(async () => await run.AppendAsync(RunReading.Number(1), TestEnds));
        await Should.ThrowAsync<RunStoreException>(async () => await store.FindAsync("another", TestEnds));
    }

    [Fact(Timeout = Hang)]
    public async Task Keys_of_started_runs_are_known_after_a_crash_and_others_are_free()
    {
        var before = await _file.StartAsync();
        var (started, claimed) = (Key("started"), Key("claimed"));
        await before.ClaimStartAsync(started, TestEnds);
        await before.ClaimStartAsync(claimed, TestEnds);
        var run = await StoreFile.CreateRunAsync(before, start: started);
        await before.DisposeAsync();

        var after = await _file.StartAsync();

        (await after.ClaimStartAsync(Key("started"), TestEnds)).ShouldBe(
            new StartClaim { Outcome = StartClaimOutcome.Started, RunId = run.Id });
        (await after.ClaimStartAsync(Key("claimed"), TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);

        static StartKey Key(string name) => new StartKey { Name = name, Fingerprint = "same", Request = Guid.NewGuid() };
    }

    [Fact(Timeout = Hang)]
    public async Task Messages_taken_before_a_crash_are_known_to_be_taken()
    {
        var before = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(before);
        var keyed = new RunMessage { Key = "key", KeyOwner = "owner", Data = "a"u8.ToArray() };
        var numbered = new RunMessage { Sender = "sender", Number = 1, Data = "b"u8.ToArray() };
        await run.ReceiveAsync(keyed, TestEnds);
        await run.ReceiveAsync(numbered, TestEnds);
        await before.DisposeAsync();

        var lost = await StoreFile.FindAsync(await _file.StartAsync(), run.Id);

        (await lost.ReceiveAsync(keyed, TestEnds)).Outcome.ShouldBe(ReceiveOutcome.Repeated);
        (await lost.ReceiveAsync(numbered, TestEnds)).ShouldBe(new ReceiveResult { Outcome = ReceiveOutcome.Repeated, Received = 1 });
        (await lost.ReceiveAsync(numbered with { Number = 2 }, TestEnds)).Outcome.ShouldBe(ReceiveOutcome.Ended);
        (await lost.ReadMessagesAsync(0, TestEnds)).ShouldBeEmpty();
    }
}
