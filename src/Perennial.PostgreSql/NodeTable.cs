using Npgsql;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>The table of nodes.</summary>
internal sealed class NodeTable(Database database, RunEndings endings) : INodeTable
{
    private const string Renew = """
        INSERT INTO nodes (node, beat) VALUES ($1, 1) ON CONFLICT (node) DO UPDATE SET beat = nodes.beat + 1
        """;

    public Task RegisterAsync(Guid node, CancellationToken cancellationToken) => database.RunAsync(async (connection, stop) =>
    {
        await using var renew = connection.Command(Renew, Sql.Value(node));
        return await renew.ExecuteNonQueryAsync(stop);
    }, cancellationToken);

    public Task<Dictionary<Guid, long>> BeatAsync(Guid node, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(Renew, Sql.Value(node));
            batch.Add("SELECT node, beat FROM nodes");
            await using var row = await batch.ExecuteReaderAsync(stop);
            var beats = new Dictionary<Guid, long>();
            while (await row.ReadAsync(stop))
            {
                beats.Add(row.GetGuid(0), row.GetInt64(1));
            }

            return beats;
        }, cancellationToken);

    public Task<IReadOnlyList<long>> EndAllAsync(Guid node, long? beat, CancellationToken cancellationToken) =>
        endings.EndAllAsync(node, beat, cancellationToken);
}
