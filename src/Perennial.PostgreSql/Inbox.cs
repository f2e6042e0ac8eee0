using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>Messages to producers. Each is recorded once, even if it is sent several times. Safe from any thread.</summary>
/// <remarks>
/// One row for each run is locked while a message is checked and recorded. The tail is in another row, so messages and events do not wait
/// for each other.
/// </remarks>
internal sealed class Inbox(Database database, long maxPendingBytes) : INodeInbox
{
    private const string Open = """
        INSERT INTO inboxes (run) SELECT run FROM runs WHERE run = $1 AND epoch = $2 ON CONFLICT DO NOTHING
        """;

    private const string Lock = """
        SELECT r.takes_messages, r.status, i.pending, i.seen FROM inboxes i JOIN runs r USING (run) WHERE i.run = $1 AND r.epoch = $2 FOR UPDATE OF i
        """;

    // Keys recorded by a node of an older version have no fingerprint.
    private const string Known = """
        SELECT coalesce((SELECT received FROM names WHERE run = $1 AND is_sender AND name = $2), 0),
            (SELECT coalesce(fingerprint, '') FROM names WHERE run = $1 AND NOT is_sender AND name = $3)
        """;

    private const string Count = """
        UPDATE inboxes SET seen = seen + 1, position = position + $2, pending = pending + $3 WHERE run = $1
        """;

    private const string Remember = """
        INSERT INTO names (run, is_sender, name, received, seen, fingerprint) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (run, is_sender, name) DO UPDATE SET received = greatest(names.received, excluded.received), seen = excluded.seen
        """;

    private const string Forget = """
        WITH forgotten AS (
            DELETE FROM names WHERE run = $1 AND is_sender = $2
                AND seen < (SELECT seen FROM names WHERE run = $1 AND is_sender = $2 ORDER BY seen DESC OFFSET $3 LIMIT 1)
            RETURNING name
        )
        DELETE FROM refusals USING forgotten WHERE run = $1 AND $2 AND sender = name
        """;

    private const string RememberRefusal = "INSERT INTO refusals (run, sender, number, code) VALUES ($1, $2, $3, $4)";

    private const string ForgetOldRefusals = """
        DELETE FROM refusals WHERE run = $1 AND sender = $2
            AND number <= (SELECT number FROM refusals WHERE run = $1 AND sender = $2 ORDER BY number DESC OFFSET $3 LIMIT 1)
        """;

    private const string ForgetToldRefusals = "DELETE FROM refusals WHERE run = $1 AND sender = $2 AND number < $3";

    // One statement: with two, a refusal recorded between them would be taken for an acceptance.
    private const string Sender = """
        SELECT n.received, r.number, r.code FROM names n LEFT JOIN refusals r ON r.run = n.run AND r.sender = n.name AND r.number >= $3
        WHERE n.run = $1 AND n.is_sender AND n.name = $2 ORDER BY r.number
        """;

    private const string Record = """
        INSERT INTO messages (run, position, is_binary, sender, number, key, data)
        SELECT run, position, $2, $3, $4, $5, $6 FROM inboxes WHERE run = $1
        """;

    private const string Done = """
        WITH done AS (
            DELETE FROM messages WHERE run = $1 AND position <= $2
                AND ($3 = 0 OR EXISTS (SELECT FROM runs WHERE run = $1 AND producer = $3))
            RETURNING octet_length(data) + 64 AS size)
        UPDATE inboxes SET pending = pending - (SELECT sum(size) FROM done) WHERE run = $1 AND EXISTS (SELECT FROM done)
        """;

    private const string Waiting = """
        SELECT position, is_binary, sender, number, key, data FROM messages
        WHERE run = $1 AND position > $2 AND EXISTS (SELECT FROM runs WHERE run = $1 AND epoch = $3 AND status = 0 AND ($4 = 0 OR producer = $4))
        ORDER BY position LIMIT 256
        """;

    /// <summary>Records a message, unless it is a repeat or is refused.</summary>
    /// <remarks>
    /// A message without a name cannot be distinguished from its repeat, so it is not tried again after a lost connection.
    /// </remarks>
    public Task<ReceiveResult> ReceiveAsync(RunKey key, RunMessage message, CancellationToken cancellationToken) =>
        message.Sender is null && message.Key is null
            ? database.RunOnceAsync((connection, stop) => ReceiveAsync(connection, key, message, stop), cancellationToken)
            : database.RunAsync((connection, stop) => ReceiveAsync(connection, key, message, stop), cancellationToken);

    public Task<SenderState> GetSenderAsync(RunKey key, string sender, long firstOpen, CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            var name = MessageNames.HashOf(sender);
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(ForgetToldRefusals, Sql.Value(key.Run), Sql.Value(name), Sql.Value(firstOpen));
            batch.Add(Sender, Sql.Value(key.Run), Sql.Value(name), Sql.Value(firstOpen));
            await using var row = await batch.ExecuteReaderAsync(stop);
            var received = 0L;
            var refusals = new List<RunRefusal>();
            while (await row.ReadAsync(stop))
            {
                received = row.GetInt64(0);
                if (!row.IsDBNull(1))
                {
                    refusals.Add(new RunRefusal { Number = row.GetInt64(1), Code = TextOf(row, 2)! });
                }
            }

            return new SenderState { Received = received, Refusals = refusals };
        }, cancellationToken);

    public Task<IReadOnlyList<RunMessage>> ReadAsync(RunKey key, long after, CancellationToken cancellationToken) =>
        database.RunAsync<IReadOnlyList<RunMessage>>(async (connection, stop) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(Done, Sql.Value(key.Run), Sql.Value(after), Sql.Value(key.Producer));
            batch.Add(Waiting, Sql.Value(key.Run), Sql.Value(after), Sql.Value(key.Epoch), Sql.Value(key.Producer));
            await using var row = await batch.ExecuteReaderAsync(stop);
            var messages = new List<RunMessage>();
            while (await row.ReadAsync(stop))
            {
                messages.Add(MessageOf(row));
            }

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
        return new ReceiveResult { Outcome = outcome, Received = isNew ? message.Number : inbox.Received };
    }

    private static async Task<InboxState> LockAsync(NpgsqlConnection connection, RunKey key, RunMessage message, CancellationToken stop)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(Open, Sql.Value(key.Run), Sql.Value(key.Epoch));
        batch.Add(Lock, Sql.Value(key.Run), Sql.Value(key.Epoch));
        batch.Add(
            Known,
            Sql.Value(key.Run),
            Sql.Value(MessageNames.HashOf(message.Sender)),
            Sql.Value(MessageNames.HashOf(MessageNames.KeyOf(message))));
        await using var row = await batch.ExecuteReaderAsync(stop);
        if (!await row.ReadAsync(stop))
        {
            throw new RunStoreException("The run is no longer kept.");
        }

        var (takesMessages, status, pending, seen) = (row.GetBoolean(0), (RunStatus)row.GetInt16(1), row.GetInt64(2), row.GetInt64(3));
        await row.NextResultAsync(stop);
        await row.ReadAsync(stop);
        return new InboxState
        {
            TakesMessages = takesMessages,
            Status = status,
            Pending = pending,
            Seen = seen,
            Received = row.GetInt64(0),
            KnownFingerprint = row.IsDBNull(1) ? null : row.GetFieldValue<byte[]>(1),
        };
    }

    private static async Task RecordAsync(
        NpgsqlConnection connection, RunKey key, RunMessage message, ReceiveOutcome outcome, long seen, CancellationToken stop)
    {
        var isKept = outcome == ReceiveOutcome.Accepted && message.Refusal is null;
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(
            Count, Sql.Value(key.Run), Sql.Value(isKept ? 1L : 0L), Sql.Value(isKept ? message.Data.Length + InboxState.Overhead : 0L));
        AddNames(batch, key, message, outcome == ReceiveOutcome.Accepted, seen);
        if (isKept)
        {
            batch.Add(
                Record,
                Sql.Value(key.Run), Sql.Value(message.IsBinary), Sql.Value(MessageNames.BytesOf(message.Sender)), Sql.Value(message.Number),
                Sql.Value(MessageNames.BytesOf(message.Key)), Sql.Value(message.Data));
        }

        if (seen % MessageNames.ForgetEvery == 0)
        {
            batch.Add(Forget, Sql.Value(key.Run), Sql.Value(true), Sql.Value(MessageNames.RememberedSenders));
            batch.Add(Forget, Sql.Value(key.Run), Sql.Value(false), Sql.Value(MessageNames.RememberedKeys));
        }

        await batch.ExecuteNonQueryAsync(stop);
    }

    /// <summary>Adds what later messages are compared with: the sender and its last number, the key, and a refusal.</summary>
    private static void AddNames(NpgsqlBatch batch, RunKey key, RunMessage message, bool isAccepted, long seen)
    {
        if (message.Sender is not null)
        {
            var name = MessageNames.HashOf(message.Sender);
            batch.Add(
                Remember, Sql.Value(key.Run), Sql.Value(true), Sql.Value(name),
                Sql.Value(isAccepted ? message.Number : 0L), Sql.Value(seen), Sql.Value<byte[]?>(null));
        }

        if (message.Key is not null)
        {
            var name = MessageNames.HashOf(MessageNames.KeyOf(message));
            batch.Add(
                Remember, Sql.Value(key.Run), Sql.Value(false), Sql.Value(name),
                Sql.Value(0L), Sql.Value(seen), Sql.Value<byte[]?>(message.ComputeFingerprint()));
        }

        if (isAccepted && message is { Sender: not null, Refusal: not null })
        {
            var name = MessageNames.HashOf(message.Sender);
            var code = MessageNames.BytesOf(message.Refusal);
            batch.Add(RememberRefusal, Sql.Value(key.Run), Sql.Value(name), Sql.Value(message.Number), Sql.Value(code));
            batch.Add(ForgetOldRefusals, Sql.Value(key.Run), Sql.Value(name), Sql.Value(MessageNames.RememberedRefusals));
        }
    }

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
        row.IsDBNull(column) ? null : MessageNames.TextOf(row.GetFieldValue<byte[]>(column));
}
