using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>Queries about runs. Safe from any thread.</summary>
internal sealed class RunReads(Database database) : IRunReads
{
    private const string Find = """
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with FROM runs
        WHERE id = $1 AND (ended_at IS NULL OR ended_at + coalesce(retention, $2) > clock_timestamp())
        """;

    private const string Owned = """
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with FROM runs
        WHERE owner = $1 AND (ended_at IS NULL OR ended_at + coalesce(retention, $2) > clock_timestamp()) AND run < $3
        ORDER BY run DESC LIMIT $4
        """;

    private const string Keyed = """
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with FROM runs WHERE key = $1 AND status = 0 ORDER BY run DESC LIMIT 1
        """;

    private const string State = "SELECT status, tail FROM runs WHERE run = $1 AND epoch = $2";

    // One statement reads the tail and the records at one moment. PostgreSQL knows the length of a value without reading it.
    private const string Page = """
        SELECT r.status, r.tail, e.sequence, e.kind, e.type, e.data
        FROM runs r LEFT JOIN LATERAL (
            SELECT * FROM (
                SELECT found.*, sum(octet_length(data) + 64) OVER (ORDER BY sequence) - octet_length(data) - 64 AS bytes_before
                FROM (SELECT * FROM events WHERE run = $1 AND sequence > $3 AND sequence < $4 ORDER BY sequence LIMIT 1024) found) counted
            WHERE bytes_before < $5 ORDER BY sequence) e ON true
        WHERE r.run = $1 AND r.epoch = $2
        ORDER BY e.sequence
        """;

    private const string Tails = """
        SELECT r.run, r.status, r.tail, coalesce(i.position, 0), CASE WHEN r.node = $2 THEN r.producer ELSE 0 END
        FROM runs r LEFT JOIN inboxes i USING (run) WHERE r.run = ANY ($1)
        """;

    public async Task<RunKey?> FindAsync(string id, TimeSpan retention, CancellationToken cancellationToken) =>
        (await KeysAsync(Find, () => [Sql.Value(id), Sql.Value(retention)], cancellationToken)).FirstOrDefault();

    /// <summary>Finds the newest kept runs of an owner, before a number if there is one.</summary>
    public Task<List<RunKey>> FindOwnedAsync(
        string owner, int count, long? before, TimeSpan retention, CancellationToken cancellationToken) =>
        KeysAsync(
            Owned,
            () => [Sql.Value(owner), Sql.Value(retention), Sql.Value(before ?? long.MaxValue), Sql.Value((long)count)],
            cancellationToken);

    /// <summary>Finds the newest open run with a key; null if there is none.</summary>
    public async Task<RunKey?> FindKeyedAsync(string key, CancellationToken cancellationToken) =>
        (await KeysAsync(Keyed, () => [Sql.Value(key)], cancellationToken)).FirstOrDefault();

    public Task<RunState?> StateAsync(RunKey key, long seen, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var query = connection.Command(State, Sql.Value(key.Run), Sql.Value(key.Epoch));
            await using var row = await query.ExecuteReaderAsync(stop);
            return await row.ReadAsync(stop) ? StateOf(row) : (RunState?)null;
        }, cancellationToken);

    public Task<RunSlice> PageAsync(
        RunKey key, long seen, long after, long before, int maxBytes, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var query = connection.Command(
                Page, Sql.Value(key.Run), Sql.Value(key.Epoch), Sql.Value(after), Sql.Value(before), Sql.Value((long)maxBytes));
            await using var row = await query.ExecuteReaderAsync(stop);
            if (!await row.ReadAsync(stop))
            {
                throw NotKept();
            }

            var state = StateOf(row);
            var records = new List<RunRecord>();
            do
            {
                if (!row.IsDBNull(2))
                {
                    records.Add(RecordOf(key, row));
                }
            }
            while (await row.ReadAsync(stop));
            return new RunSlice { Records = records.ToArray(), State = state };
        }, cancellationToken);

    /// <summary>Reads the progress of runs. Runs that no longer exist are absent from the result.</summary>
    public Task<List<RunTail>> TailsAsync(long[] runs, Guid node, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var query = connection.Command(Tails, Sql.Value(runs), Sql.Value(node));
            await using var row = await query.ExecuteReaderAsync(stop);
            var tails = new List<RunTail>(runs.Length);
            while (await row.ReadAsync(stop))
            {
                tails.Add(new RunTail(row.GetInt64(0), (RunStatus)row.GetInt16(1), row.GetInt64(2), row.GetInt64(3), row.GetInt32(4)));
            }

            return tails;
        }, cancellationToken);

    private Task<List<RunKey>> KeysAsync(string query, Func<NpgsqlParameter[]> values, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var find = connection.Command(query, values());
            await using var row = await find.ExecuteReaderAsync(stop);
            var keys = new List<RunKey>();
            while (await row.ReadAsync(stop))
            {
                keys.Add(KeyOf(row));
            }

            return keys;
        }, cancellationToken);

    /// <summary>The names of a run, from the first columns of a row.</summary>
    public static RunKey KeyOf(NpgsqlDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), TextOf(row, 3))
    {
        Description = MetadataText.Read(TextOf(row, 4), TextOf(row, 5), TextOf(row, 6), TextOf(row, 7)),
    };

    private static string? TextOf(NpgsqlDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);

    private static RunStoreException NotKept() => new("The run is no longer kept.");

    private static RunState StateOf(NpgsqlDataReader row) => new RunState
    {
        Status = (RunStatus)row.GetInt16(0),
        Tail = row.GetInt64(1),
        Oldest = 1,
    };

    private static RunRecord RecordOf(RunKey key, NpgsqlDataReader row) => new(
        key.Epoch,
        row.GetInt64(2),
        new RunEvent
        {
            EventType = row.IsDBNull(4) ? null : row.GetString(4),
            Data = row.GetFieldValue<byte[]>(5),
            Kind = (RunDataKind)row.GetInt16(3),
        });
}
