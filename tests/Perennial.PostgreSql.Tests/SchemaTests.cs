using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>How the tables come, and how runs leave them.</summary>
public sealed class SchemaTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Many_nodes_that_start_at_once_create_the_tables_once()
    {
        var stores = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => _nodes.StartAsync())));

        var run = await Nodes.CreateRunAsync(stores[0]);
        foreach (var store in stores)
        {
            (await store.FindAsync(run.Id, TestEnds)).ShouldNotBeNull();
        }
    }

    [Fact(Timeout = Hang)]
    public async Task Where_the_tables_are_there_no_right_to_create_is_needed()
    {
        await _nodes.StartAsync();
        var role = $"r_{Guid.NewGuid():N}";
        await ExecuteAsync($"""
            CREATE ROLE {role} LOGIN;
            GRANT USAGE ON SCHEMA {_nodes.Space} TO {role};
            GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {_nodes.Space} TO {role};
            """);

        await using var store = Nodes.Create($"{cluster.ConnectionString};Username={role}", _nodes.Space);
        await store.StartingAsync(TestEnds);

        var run = await Nodes.CreateRunAsync(store);
        await run.AppendAsync(1, 3);
        await run.CloseAsync(RunEnd.Completed, TestEnds);
    }

    [Fact(Timeout = Hang)]
    public async Task Tables_of_another_version_are_left_alone()
    {
        await _nodes.StartAsync();
        await ExecuteAsync($"UPDATE {_nodes.Space}.version SET version = 99");

        var failure = await Should.ThrowAsync<RunStoreException>(() => _nodes.StartAsync());

        failure.Message.ShouldContain("version 99");
    }

    [Theory(Timeout = Hang)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public async Task Tables_of_a_version_before_are_brought_up_to_date_and_keep_what_they_hold(int version)
    {
        var before = await _nodes.StartAsync();
        var run = await Nodes.CreateRunAsync(before);
        await run.AppendAsync(1, 3);
        if (version == 1)
        {
            await ExecuteAsync($"ALTER TABLE {_nodes.Space}.runs DROP COLUMN retention");
        }

        if (version <= 2)
        {
            await ExecuteAsync($"DROP TABLE {_nodes.Space}.starts; ALTER TABLE {_nodes.Space}.names DROP COLUMN fingerprint");
        }

        if (version <= 3)
        {
            await ExecuteAsync($"ALTER TABLE {_nodes.Space}.runs DROP COLUMN dialect");
        }

        if (version <= 4)
        {
            await ExecuteAsync($"ALTER TABLE {_nodes.Space}.runs DROP COLUMN owner, DROP COLUMN key, DROP COLUMN metadata");
        }

        await ExecuteAsync($"ALTER TABLE {_nodes.Space}.runs DROP COLUMN resume_with, DROP COLUMN producer");
        await ExecuteAsync($"UPDATE {_nodes.Space}.version SET version = {version}");

        var after = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => Task.Run(() => _nodes.StartAsync())));

        (await (await Nodes.FindAsync(after[0], run)).GetStateAsync(TestEnds)).Tail.ShouldBe(3);
        var fresh = await Nodes.CreateRunAsync(after[1]);
        (await after[2].FindAsync(fresh.Id, TestEnds)).ShouldNotBeNull();
        var start = new StartKey { Name = "name", Fingerprint = "same", Request = Guid.NewGuid() };
        (await after[0].ClaimStartAsync(start, TestEnds)).Outcome.ShouldBe(StartClaimOutcome.Claimed);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Upper")]
    [InlineData("1st")]
    [InlineData("a; DROP TABLE runs")]
    [InlineData("line\n")]
    public void A_schema_is_a_plain_name(string name) =>
        Should.Throw<ArgumentOutOfRangeException>(() => new PostgreSqlStoreOptions { Schema = name }.Validate());

    [Fact(Timeout = Hang)]
    public async Task Finished_runs_leave_nothing_behind_and_open_ones_stay()
    {
        var time = new ManualTimeProvider();
        var a = await _nodes.StartAsync(new PerennialServerOptions { FinishedRunRetention = TimeSpan.Zero }, time: time);
        var runs = await Task.WhenAll(Enumerable.Range(0, 45).Select(_ => Nodes.CreateRunAsync(a)));
        foreach (var run in runs)
        {
            await run.AppendAsync(1, 2);
            await run.ReceiveAsync(new RunMessage { Key = "key", Data = "x"u8.ToArray() }, TestEnds);
        }

        foreach (var run in runs[1..])
        {
            await run.CloseAsync(RunEnd.Completed, TestEnds);
        }

        time.Advance(SweepInterval);

        foreach (var (table, left) in new[] { ("runs", 1), ("events", 2), ("inboxes", 1), ("messages", 1), ("names", 1) })
        {
            await RunReading.UntilAsync(async () => await CountAsync(table) == left);
        }

        (await a.FindAsync(runs[0].Id, TestEnds)).ShouldNotBeNull();
    }

    [Fact(Timeout = Hang)]
    public async Task Runs_are_kept_for_their_time_and_deleted_by_one_node_at_a_time()
    {
        var (shortTime, longTime) = (new ManualTimeProvider(), new ManualTimeProvider());
        var brief = await _nodes.StartAsync(new PerennialServerOptions { FinishedRunRetention = TimeSpan.Zero }, time: shortTime);
        var patient = await _nodes.StartAsync(new PerennialServerOptions { FinishedRunRetention = TimeSpan.FromHours(1) }, time: longTime);
        var run = await Nodes.CreateRunAsync(patient);
        await run.CloseAsync(RunEnd.Completed, TestEnds);

        await SweepAsync(longTime);
        (await patient.FindAsync(run.Id, TestEnds)).ShouldNotBeNull();
        (await brief.FindAsync(run.Id, TestEnds)).ShouldBeNull();

        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using (var other = await source.OpenConnectionAsync(TestEnds))
        {
            await using var turn =
                new NpgsqlCommand($"SELECT pg_advisory_lock(hashtextextended('perennial retention {_nodes.Space}', 0))", other);
            await turn.ExecuteNonQueryAsync(TestEnds);
            await SweepAsync(shortTime);
            (await CountAsync("runs")).ShouldBe(1);
        }

        await source.DisposeAsync();
        await RunReading.UntilAsync(async () =>
        {
            await SweepAsync(shortTime);
            return await CountAsync("runs") == 0;
        });

        async Task SweepAsync(ManualTimeProvider time)
        {
            await time.WaitForTimerAsync(SweepInterval, TestEnds);
            time.Advance(SweepInterval);
            await time.WaitForTimerAsync(SweepInterval, TestEnds);
        }
    }

    private Task<long> CountAsync(string table) => cluster.QueryAsync<long>($"SELECT count(*) FROM {_nodes.Space}.{table}");

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestEnds);
    }
}
