using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.PostgreSql.Tests;

/// <summary>What becomes of an event that the database refuses.</summary>
public sealed class RefusedEventTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task An_event_that_the_database_refuses_fails_its_own_run_alone()
    {
        var a = await _nodes.StartAsync();
        await ExecuteAsync($"""
            CREATE FUNCTION {_nodes.Space}.refuse() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'poison' USING ERRCODE = '22000'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON {_nodes.Space}.events FOR EACH ROW WHEN (NEW.type = 'poison')
                EXECUTE FUNCTION {_nodes.Space}.refuse();
            """);
        var (bad, good) = (await Nodes.CreateRunAsync(a), await Nodes.CreateRunAsync(a));

        // Handed in at once, so that the second batch holds both.
        var before = Enumerable.Range(1, 10).Select(n => good.AppendAsync(RunReading.Number(n), TestEnds).AsTask()).ToArray();
        var poison = bad.AppendAsync(new RunEvent
        {
            EventType = "poison",
            Data = "x"u8.ToArray(),
            Kind = RunDataKind.Text,
        }, TestEnds).AsTask();
        var after = Enumerable.Range(11, 10).Select(n => good.AppendAsync(RunReading.Number(n), TestEnds).AsTask()).ToArray();

        await Should.ThrowAsync<RunStoreException>(poison);
        (await Task.WhenAll([.. before, .. after]))
            .Select(result => result.Sequence)
            .ShouldBe(Enumerable.Range(1, 20).Select(n => (long)n));
        await good.CloseAsync(RunEnd.Completed, TestEnds);
        (await good.FollowAsync()).ShouldBeNumbersAnd(RunEnd.Completed);
        var records = await (await Nodes.FindAsync(a, bad)).FollowAsync();
        records.ShouldHaveSingleItem().Content.EventType.ShouldBe("perennial.failed");
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(cluster.ConnectionString);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(TestEnds);
    }
}
