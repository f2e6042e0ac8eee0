using Npgsql;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.PostgreSql.Tests;

/// <summary>What an append makes the database look at.</summary>
public sealed class AppendPlanTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Theory(Timeout = Hang)]
    [InlineData(1, false)]
    [InlineData(2000, false)]
    [InlineData(2000, true)]
    public async Task Finds_its_runs_by_their_keys_whatever_the_planner_knows_of_the_tables(int runs, bool isAnalyzed)
    {
        await _nodes.StartAsync();
        await using var connection = new NpgsqlConnection($"{cluster.ConnectionString};Search Path={_nodes.Space}");
        await connection.OpenAsync(TestEnds);
        var node = Guid.NewGuid();
        await ExecuteAsync(connection, $"""
            INSERT INTO runs (id, epoch, node, takes_messages)
            SELECT n::text, 'abcdefgh', '{node}', false FROM generate_series(1, {runs}) n
            """);
        if (isAnalyzed)
        {
            await ExecuteAsync(connection, "ANALYZE runs, events");
        }

        await using var append = await BatchStatement.PrepareAsync(connection, node, TestEnds);
        var plan = await PlanAsync(connection, node);

        plan.ShouldContain("run = ANY ($1)");
        plan.ShouldContain("runs_pkey");
        plan.ShouldNotContain("Seq Scan on runs");
        plan.ShouldNotContain("runs_open");
        plan.ShouldNotContain("Nested Loop");
    }

    /// <summary>How the statement that was prepared on this connection is carried out for one event of one run.</summary>
    private static async Task<string> PlanAsync(NpgsqlConnection connection, Guid node)
    {
        await using var name = new NpgsqlCommand("SELECT name FROM pg_prepared_statements", connection);
        var statement = (string)(await name.ExecuteScalarAsync(TestEnds))!;
        await using var explain = new NpgsqlCommand(
            $$"""EXPLAIN EXECUTE {{statement}} ('{1}', '{abcdefgh}', '{0}', '{1}', '{0}', '{{node}}', '{1}', '{1}', '{0}', '{NULL}', '{x}', '{1}')""", connection);
        await using var row = await explain.ExecuteReaderAsync(TestEnds);
        var lines = new List<string>();
        while (await row.ReadAsync(TestEnds))
        {
            lines.Add(row.GetString(0));
        }

        return string.Join('\n', lines);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(TestEnds);
    }
}
