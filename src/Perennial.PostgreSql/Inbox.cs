using System.Security.Cryptography;
using System.Runtime.InteropServices;
using System.Text;
using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>Messages to producers, each recorded once however often it is sent. Safe from any thread.</summary>
/// <remarks>
/// One row for each run is locked while a message is judged and recorded. It is not the row with the tail, so that messages and events do not
/// wait for each other.
/// </remarks>
internal sealed class Inbox(Database database, long maxPendingBytes)
{
    private const int RememberedKeys = 10_000;
    private const int RememberedSenders = 1_000;
    private const int ForgetEvery = 500;
    private const long Overhead = 64;

    private const string Open = """
        INSERT INTO inboxes (run) SELECT run FROM runs WHERE run = $1 AND epoch = $2 ON CONFLICT DO NOTHING
        """;

    private const string Lock = """
        SELECT r.status, i.pending, i.seen FROM inboxes i JOIN runs r USING (run) WHERE i.run = $1 AND r.epoch = $2 FOR UPDATE OF i
        """;

    private const string Known = """
        SELECT coalesce((SELECT received FROM names WHERE run = $1 AND is_sender AND name = $2), 0),
            EXISTS (SELECT FROM names WHERE run = $1 AND NOT is_sender AND name = $3)
        """;

    private const string Count = """
        UPDATE inboxes SET seen = seen + 1, position = position + $2, pending = pending + $3 WHERE run = $1
        """;

    private const string Remember = """
        INSERT INTO names (run, is_sender, name, received, seen) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (run, is_sender, name) DO UPDATE SET received = greatest(names.received, excluded.received), seen = excluded.seen
        """;

    private const string Forget = """
        DELETE FROM names WHERE run = $1 AND is_sender = $2
            AND seen < (SELECT seen FROM names WHERE run = $1 AND is_sender = $2 ORDER BY seen DESC OFFSET $3 LIMIT 1)
        """;

    private const string Record = """
        INSERT INTO messages (run, position, is_binary, sender, number, key, data)
        SELECT run, position, $2, $3, $4, $5, $6 FROM inboxes WHERE run = $1
        """;

    private const string Done = """
        WITH done AS (DELETE FROM messages WHERE run = $1 AND position <= $2 RETURNING octet_length(data) + 64 AS size)
        UPDATE inboxes SET pending = pending - (SELECT sum(size) FROM done) WHERE run = $1 AND EXISTS (SELECT FROM done)
        """;

    private const string Waiting = """
        SELECT position, is_binary, sender, number, key, data FROM messages
        WHERE run = $1 AND position > $2 AND EXISTS (SELECT FROM runs WHERE run = $1 AND epoch = $3 AND status = 0)
        ORDER BY position LIMIT 256
        """;

    /// <summary>Records a message, unless it is known or cannot be taken.</summary>
    /// <remarks>One that has no name cannot be told from its repetition, so it is not tried again when a connection is lost.</remarks>
    public Task<ReceiveResult> ReceiveAsync(RunKey key, RunMessage message, CancellationToken cancellationToken) =>
        message.Sender is null && message.Key is null
            ? database.RunOnceAsync((connection, stop) => ReceiveAsync(connection, key, message, stop), cancellationToken)
            : database.RunAsync((connection, stop) => ReceiveAsync(connection, key, message, stop), cancellationToken);

    public Task<long> GetReceivedAsync(RunKey key, string sender, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var query = connection.Command(
                "SELECT received FROM names WHERE run = $1 AND is_sender AND name = $2", Sql.Value(key.Run), Sql.Value(NameOf(sender)));
            return await query.ExecuteScalarAsync(stop) is long received ? received : 0;
        }, cancellationToken);

    public Task<IReadOnlyList<RunMessage>> ReadAsync(RunKey key, long after, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<RunMessage>>(async (connection, stop) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(Done, Sql.Value(key.Run), Sql.Value(after));
            batch.Add(Waiting, Sql.Value(key.Run), Sql.Value(after), Sql.Value(key.Epoch));
            await using var row = await batch.ExecuteReaderAsync(stop);
            var messages = new List<RunMessage>();
            while (await row.ReadAsync(stop))
                messages.Add(MessageOf(row));
            return messages;
        }, cancellationToken);

    private async Task<ReceiveResult> ReceiveAsync(NpgsqlConnection connection, RunKey key, RunMessage message, CancellationToken stop)
    {
        await using var transaction = await connection.BeginTransactionAsync(stop);
        var inbox = await LockAsync(connection, key, message, stop);
        var outcome = inbox.Judge(message, maxPendingBytes);
        if (outcome is ReceiveOutcome.Accepted or ReceiveOutcome.Repeated)
        {
            await RecordAsync(connection, key, message, outcome, inbox.Seen + 1, stop);
            await transaction.CommitAsync(stop);
        }

        var isNew = outcome == ReceiveOutcome.Accepted && message.Sender is not null;
        return new ReceiveResult(outcome, isNew ? message.Number : inbox.Received);
    }

    private static async Task<InboxState> LockAsync(NpgsqlConnection connection, RunKey key, RunMessage message, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Open, Sql.Value(key.Run), Sql.Value(key.Epoch));
        batch.Add(Lock, Sql.Value(key.Run), Sql.Value(key.Epoch));
        batch.Add(Known, Sql.Value(key.Run), Sql.Value(NameOf(message.Sender)), Sql.Value(NameOf(message.Key)));
        await using var row = await batch.ExecuteReaderAsync(stop);
        if (!await row.ReadAsync(stop))
            throw new RunStoreException("The run is no longer kept.");
        var (status, pending, seen) = ((RunStatus)row.GetInt16(0), row.GetInt64(1), row.GetInt64(2));
        await row.NextResultAsync(stop);
        await row.ReadAsync(stop);
        return new InboxState(status, pending, seen, row.GetInt64(0), row.GetBoolean(1));
    }

    private static async Task RecordAsync(
        NpgsqlConnection connection, RunKey key, RunMessage message, ReceiveOutcome outcome, long seen, CancellationToken stop)
    {
        var isKept = outcome == ReceiveOutcome.Accepted && !message.IsWithheld;
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Count, Sql.Value(key.Run), Sql.Value(isKept ? 1L : 0L), Sql.Value(isKept ? message.Data.Length + Overhead : 0L));
        if (message.Sender is not null)
        {
            batch.Add(Remember, Sql.Value(key.Run), Sql.Value(true), Sql.Value(NameOf(message.Sender)),
                Sql.Value(outcome == ReceiveOutcome.Accepted ? message.Number : 0L), Sql.Value(seen));
        }

        if (message.Key is not null)
            batch.Add(Remember, Sql.Value(key.Run), Sql.Value(false), Sql.Value(NameOf(message.Key)), Sql.Value(0L), Sql.Value(seen));
        if (isKept)
        {
            batch.Add(Record, Sql.Value(key.Run), Sql.Value(message.IsBinary), Sql.Value(BytesOf(message.Sender)), Sql.Value(message.Number),
                Sql.Value(BytesOf(message.Key)), Sql.Value(message.Data));
        }

        if (seen % ForgetEvery == 0)
        {
            batch.Add(Forget, Sql.Value(key.Run), Sql.Value(true), Sql.Value(RememberedSenders));
            batch.Add(Forget, Sql.Value(key.Run), Sql.Value(false), Sql.Value(RememberedKeys));
        }

        await batch.ExecuteNonQueryAsync(stop);
    }

    /// <summary>A name of any text and any length, as something that an index takes. No text at all hashes to what no name is.</summary>
    private static byte[] NameOf(string? name) => name is null ? [] : SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan()));

    // Text in the database knows no NUL, which a name may hold.
    private static byte[]? BytesOf(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    private static RunMessage MessageOf(NpgsqlDataReader row) => new()
    {
        Position = row.GetInt64(0),
        IsBinary = row.GetBoolean(1),
        Sender = TextOf(row, 2),
        Number = row.GetInt64(3),
        Key = TextOf(row, 4),
        Data = row.GetFieldValue<byte[]>(5),
    };

    private static string? TextOf(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : Encoding.UTF8.GetString(row.GetFieldValue<byte[]>(column));

    /// <summary>What is known when a message comes.</summary>
    private readonly record struct InboxState(RunStatus Status, long Pending, long Seen, long Received, bool IsKeyKnown)
    {
        public ReceiveOutcome Judge(RunMessage message, long maxPendingBytes)
        {
            var isRepeated = (message.Sender is not null && message.Number <= Received) || (message.Key is not null && IsKeyKnown);
            if (isRepeated)
                return ReceiveOutcome.Repeated;
            if (Status != RunStatus.Running)
                return ReceiveOutcome.Ended;
            if (message.Sender is not null && message.Number > Received + 1)
                return ReceiveOutcome.Hole;
            var fits = Pending == 0 || Pending + message.Data.Length + Overhead <= maxPendingBytes;
            return message.IsWithheld || fits ? ReceiveOutcome.Accepted : ReceiveOutcome.Full;
        }
    }
}
