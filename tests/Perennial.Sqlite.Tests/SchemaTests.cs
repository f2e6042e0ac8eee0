using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;
using Perennial.Testing;

namespace Perennial.Sqlite.Tests;

/// <summary>Which files are accepted, and how runs leave them.</summary>
public sealed class SchemaTests : IAsyncDisposable
{
    private const int Hang = 120_000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_file_of_a_newer_version_is_left_alone()
    {
        await (await _file.StartAsync()).StoppedAsync(TestEnds);
        _file.Execute("PRAGMA user_version = 99");

        var refusal = await Should.ThrowAsync<RunStoreException>(() => _file.StartAsync());

        refusal.Message.ShouldContain("version 99");
        refusal.Message.ShouldContain("up to 3");
        _file.Execute("PRAGMA user_version").ShouldBe(99L);
    }

    [Fact(Timeout = Hang)]
    public async Task A_file_of_the_version_before_is_brought_up_to_date_and_keeps_what_it_holds()
    {
        var before = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(before);
        await run.AppendAsync(1, 3);
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        await before.StoppedAsync(TestEnds);
        foreach (var undo in (string[])[
            "DROP INDEX runs_owner", "DROP INDEX runs_key", "ALTER TABLE runs DROP COLUMN owner", "ALTER TABLE runs DROP COLUMN key",
            "ALTER TABLE runs DROP COLUMN metadata", "ALTER TABLE runs DROP COLUMN resume_with", "PRAGMA user_version = 1"])
        {
            _file.Execute(undo);
        }

        var after = await _file.StartAsync();

        (await (await StoreFile.FindAsync(after, run.Id)).GetStateAsync(TestEnds)).Tail.ShouldBe(4);
        var fresh = new NewRun { Id = "fresh", Epoch = "abcdefgh", Description = new RunDescription { Owner = "ann", Key = "chat" } };
        await after.CreateAsync(fresh, TestEnds);
        (await after.FindByOwnerAsync("ann", 10, before: null, TestEnds)).Runs.Single().Id.ShouldBe("fresh");
        (await after.FindByKeyAsync("chat", TestEnds)).ShouldNotBeNull().Id.ShouldBe("fresh");
    }

    [Fact(Timeout = Hang)]
    public async Task A_database_of_another_application_is_left_alone()
    {
        _file.Execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)");

        var refusal = await Should.ThrowAsync<RunStoreException>(() => _file.StartAsync());

        refusal.Message.ShouldContain("another application");
        _file.Execute("SELECT count(*) FROM sqlite_schema").ShouldBe(1L);
        _file.Execute("PRAGMA journal_mode").ShouldBe("delete");
    }

    [Fact(Timeout = Hang)]
    public async Task A_file_that_is_no_database_is_left_alone()
    {
        await File.WriteAllTextAsync(_file.Path, new string('x', 10_000), TestEnds);

        var refusal = await Should.ThrowAsync<RunStoreException>(() => _file.StartAsync());

        refusal.Message.ShouldContain("is not a database");
        (await File.ReadAllTextAsync(_file.Path, TestEnds)).ShouldStartWith("xxx");
    }

    [Fact(Timeout = Hang)]
    public async Task A_file_that_is_damaged_after_a_crash_is_refused()
    {
        var before = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(before);
        foreach (var n in Enumerable.Range(1, 100))
        {
            await run.AppendAsync(RunReading.Text($"{n} {new string('x', 1000)}"), TestEnds);
        }

        await run.CloseAsync(RunEnd.Completed, TestEnds);
        await before.DisposeAsync();
        await using (var bytes = File.OpenWrite(_file.Path))
        {
            bytes.Seek(10 * 4096, SeekOrigin.Begin);
            await bytes.WriteAsync(new byte[20 * 4096], TestEnds);
        }

        var refusal = await Should.ThrowAsync<RunStoreException>(() => _file.StartAsync());

        refusal.Message.ShouldContain("is damaged. Restore it from a backup");
    }

    [Fact(Timeout = Hang)]
    public async Task Finished_runs_leave_nothing_behind_and_open_ones_stay()
    {
        var time = new ManualTimeProvider();
        var store = await _file.StartAsync(new PerennialServerOptions { FinishedRunRetention = TimeSpan.FromMinutes(5) }, time: time);
        var runs = await Task.WhenAll(Enumerable.Range(0, 45).Select(_ => StoreFile.CreateRunAsync(store)));
        foreach (var run in runs)
        {
            await run.AppendAsync(1, 2);
            await run.AppendAsync(RunReading.Text(new string('x', 100_000)), TestEnds);
            await run.ReceiveAsync(new RunMessage { Key = "key", Data = "x"u8.ToArray() }, TestEnds);
        }

        foreach (var run in runs[1..])
        {
            await run.CloseAsync(RunEnd.Completed, TestEnds);
        }

        var pages = (long)_file.Execute("PRAGMA page_count")!;
        await SweepAsync(time, SweepInterval);
        Count("runs").ShouldBe(45);
        await SweepAsync(time, TimeSpan.FromMinutes(5));

        foreach (var (table, left) in new[] { ("runs", 1), ("events", 3), ("messages", 1), ("names", 1) })
        {
            Count(table).ShouldBe(left, table);
        }

        (await store.FindAsync(runs[0].Id, TestEnds)).ShouldNotBeNull();
        ((long)_file.Execute("PRAGMA page_count")!).ShouldBeLessThan(pages / 4);
    }

    [Fact(Timeout = Hang)]
    public async Task Retention_goes_on_over_a_restart()
    {
        var time = new ManualTimeProvider();
        var before = await _file.StartAsync(time: time);
        var run = await StoreFile.CreateRunAsync(before, retention: TimeSpan.FromHours(1));
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        await before.StoppedAsync(TestEnds);
        time.Advance(TimeSpan.FromMinutes(59));

        var after = await _file.StartAsync(time: time);
        await StoreFile.FindAsync(after, run.Id);
        time.Advance(TimeSpan.FromMinutes(1));

        (await after.FindAsync(run.Id, TestEnds)).ShouldBeNull();
    }

    [Fact(Timeout = Hang)]
    public async Task Keys_are_forgotten_after_their_time()
    {
        var time = new ManualTimeProvider();
        var store = await _file.StartAsync(time: time);
        var key = new StartKey { Name = "name", Fingerprint = "same", Request = Guid.NewGuid() };
        await store.ClaimStartAsync(key, TestEnds);
        await StoreFile.CreateRunAsync(store, start: key);
        var repeat = key with { Request = Guid.NewGuid() };
        (await store.ClaimStartAsync(repeat, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Started);

        await SweepAsync(time, new StartOptions().KeyRetention);
        await SweepAsync(time, SweepInterval);      // the one before may have looked at the clock while it moved

        Count("starts").ShouldBe(0);
        (await store.ClaimStartAsync(repeat, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Theory]
    [InlineData("")]
    [InlineData(":memory:")]
    [InlineData("Data Source=runs.db")]
    public void A_path_is_no_connection_string(string path) => Should.Throw<ArgumentException>(
        () => new PerennialServerBuilder(new Microsoft.Extensions.DependencyInjection.ServiceCollection()).AddSqliteStore(path));

    private static async Task SweepAsync(ManualTimeProvider time, TimeSpan by)
    {
        await time.WaitForTimerAsync(SweepInterval, TestEnds);
        time.Advance(by);
        await time.WaitForTimerAsync(SweepInterval, TestEnds);
    }

    private long Count(string table) => (long)_file.Execute($"SELECT count(*) FROM {table}")!;
}
