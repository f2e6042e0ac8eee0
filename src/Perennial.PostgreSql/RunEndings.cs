using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.PostgreSql;

/// <summary>Ends runs that this node does not produce: by a stop, or because the node that produced them is gone.</summary>
internal sealed class RunEndings(Database database)
{
    private const string EndOne = """
        WITH ended AS (
            UPDATE runs SET status = $3, tail = tail + 1, ended_at = clock_timestamp()
            WHERE run = $1 AND epoch = $2 AND status = 0 RETURNING run, tail
        )
        INSERT INTO events (run, sequence, kind, type, data) SELECT run, tail, $4, $5, $6 FROM ended
        """;

    private const string HowEnded = "SELECT status FROM runs WHERE run = $1 AND epoch = $2";

    private const string StrikeNode = "DELETE FROM nodes WHERE node = $1 AND ($2 IS NULL OR beat = $2)";

    private const string FreeStarts = "DELETE FROM starts WHERE node = $1 AND run_id IS NULL";

    private const string Orphan = "UPDATE runs SET node = $2 WHERE node = $1 AND status = 0 AND resume_with IS NOT NULL";

    private const string EndAll = """
        WITH lost AS (
            SELECT run FROM runs WHERE node = $1 AND status = 0 AND ($6 IS NULL OR run = ANY ($6)) FOR UPDATE
        ), ended AS (
            UPDATE runs r SET status = $2, tail = r.tail + 1, ended_at = clock_timestamp() FROM lost WHERE r.run = lost.run
            RETURNING r.run, r.tail
        )
        INSERT INTO events (run, sequence, kind, type, data) SELECT run, tail, $3, $4, $5 FROM ended RETURNING run
        """;

    /// <summary>Ends a run, unless it has ended. Returns its final status.</summary>
    public Task<RunStatus> EndAsync(RunKey key, RunEnd ending, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            var last = ending.ToEvent();
            await using var end = connection.Command(
                EndOne, Sql.Value(key.Run), Sql.Value(key.Epoch), Sql.Value((short)ending.Status),
                Sql.Value((short)last.Kind), Sql.Value(last.EventType), Sql.Value(last.Data));
            if (await end.ExecuteNonQueryAsync(stop) == 1)
            {
                return ending.Status;
            }

            await using var query = connection.Command(HowEnded, Sql.Value(key.Run), Sql.Value(key.Epoch));
            return await query.ExecuteScalarAsync(stop) is short status
                ? (RunStatus)status
                : throw new RunStoreException("The run is no longer kept.");
        }, cancellationToken);

    /// <summary>
    /// Removes a node, ends its open runs or leaves them for another node to resume, and frees the keys of its starts without a run. Does nothing if the node has renewed its lease
    /// since a beat.
    /// </summary>
    /// <remarks>
    /// Creating a run locks the row of its node, and so does this. So a run that the node creates at the same time either exists when its
    /// runs are ended, or its creation finds that the node was removed.
    /// </remarks>
    public Task<IReadOnlyList<long>> EndAllAsync(Guid node, long? beat, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<long>>(async (connection, stop) =>
        {
            await using var transaction = await connection.BeginTransactionAsync(stop);
            await using var strike = connection.Command(StrikeNode, Sql.Value(node), Sql.Value(beat));
            if (await strike.ExecuteNonQueryAsync(stop) == 0)
            {
                return [];
            }

            await using var free = connection.Command(FreeStarts, Sql.Value(node));
            await free.ExecuteNonQueryAsync(stop);
            await using var orphan = connection.Command(Orphan, Sql.Value(node), Sql.Value(Orphans.NoNode));
            await orphan.ExecuteNonQueryAsync(stop);
            var runs = await EndAsync(connection, node, runs: null, stop);
            await transaction.CommitAsync(stop);
            return runs;
        }, cancellationToken);

    /// <summary>Ends some of the runs that have no producer as lost, unless they have one now. Returns those that it has ended.</summary>
    public Task<IReadOnlyList<long>> EndOrphansAsync(long[] runs, CancellationToken cancellationToken) =>
        database.RunAsync((connection, stop) => EndAsync(connection, Orphans.NoNode, runs, stop), cancellationToken);

    private static async Task<IReadOnlyList<long>> EndAsync(
        NpgsqlConnection connection, Guid node, long[]? runs, CancellationToken cancellationToken)
    {
        var last = RunEnd.ProducerLost.ToEvent();
        await using var end = connection.Command(
            EndAll, Sql.Value(node), Sql.Value((short)RunEnd.ProducerLost.Status),
            Sql.Value((short)last.Kind), Sql.Value(last.EventType), Sql.Value(last.Data), Sql.Value(runs));
        var ended = new List<long>();
        await using var row = await end.ExecuteReaderAsync(cancellationToken);
        while (await row.ReadAsync(cancellationToken))
        {
            ended.Add(row.GetInt64(0));
        }

        return ended;
    }
}
