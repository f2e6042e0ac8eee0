using Microsoft.Data.Sqlite;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Messages to producers. Each is recorded once, even if it is sent several times.</summary>
internal static class Inbox
{
    private const string Box = "SELECT takes_messages, status, pending, seen, position FROM runs WHERE run = $1";

    private const string Sender = "SELECT received FROM names WHERE run = $1 AND is_sender = 1 AND name = $2";

    private const string Key = "SELECT fingerprint FROM names WHERE run = $1 AND is_sender = 0 AND name = $2";

    private const string Count = "UPDATE runs SET seen = seen + 1, position = position + $2, pending = pending + $3 WHERE run = $1";

    private const string Remember = """
        INSERT INTO names (run, is_sender, name, received, seen, fingerprint) VALUES ($1, $2, $3, $4, $5, $6)
        ON CONFLICT (run, is_sender, name) DO UPDATE SET received = max(received, excluded.received), seen = excluded.seen
        """;

    private const string ForgetRefusals = """
        DELETE FROM refusals WHERE run = $1 AND sender IN (SELECT name FROM names WHERE run = $1 AND is_sender = 1
            AND seen < (SELECT seen FROM names WHERE run = $1 AND is_sender = 1 ORDER BY seen DESC LIMIT 1 OFFSET $2))
        """;

    private const string ForgetNames = """
        DELETE FROM names WHERE run = $1 AND is_sender = $2
            AND seen < (SELECT seen FROM names WHERE run = $1 AND is_sender = $2 ORDER BY seen DESC LIMIT 1 OFFSET $3)
        """;

    private const string RememberRefusal = "INSERT INTO refusals (run, sender, number, code) VALUES ($1, $2, $3, $4)";

    private const string ForgetOldRefusals = """
        DELETE FROM refusals WHERE run = $1 AND sender = $2
            AND number <= (SELECT number FROM refusals WHERE run = $1 AND sender = $2 ORDER BY number DESC LIMIT 1 OFFSET $3)
        """;

    private const string ForgetToldRefusals = "DELETE FROM refusals WHERE run = $1 AND sender = $2 AND number < $3";

    private const string Refusals = "SELECT number, code FROM refusals WHERE run = $1 AND sender = $2 AND number >= $3 ORDER BY number";

    private const string Record = """
        INSERT INTO messages (run, position, is_binary, sender, number, key, key_owner, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        """;

    private const string CountDone = """
        UPDATE runs SET pending = pending - (SELECT sum(length(data) + 64) FROM messages WHERE run = $1 AND position <= $2)
        WHERE run = $1 AND EXISTS (SELECT 1 FROM messages WHERE run = $1 AND position <= $2)
        """;

    private const string Done = "DELETE FROM messages WHERE run = $1 AND position <= $2";

    private const string Waiting = """
        SELECT position, is_binary, sender, number, key, key_owner, data FROM messages
        WHERE run = $1 AND position > $2 ORDER BY position LIMIT 256
        """;

    /// <summary>Records a message, unless it is a repeat or is refused.</summary>
    /// <exception cref="RunStoreException">The run is no longer kept.</exception>
    public static ReceiveResult Receive(Session session, long run, RunMessage message, long maxPendingBytes)
    {
        var (inbox, position) = Look(session, run, message);
        var outcome = inbox.Judge(message, maxPendingBytes);
        if (outcome is ReceiveOutcome.Accepted or ReceiveOutcome.Repeated)
        {
            RecordMessage(session, run, message, outcome, inbox.Seen + 1, position + 1);
        }

        var isNew = outcome == ReceiveOutcome.Accepted && message.Sender is not null;
        return new ReceiveResult { Outcome = outcome, Received = isNew ? message.Number : inbox.Received };
    }

    /// <summary>Returns the state of a sender, and forgets the refusals that it knows.</summary>
    public static SenderState GetSender(Session session, long run, string sender, long firstOpen)
    {
        var name = MessageNames.HashOf(sender);
        session.Execute(ForgetToldRefusals, run, name, firstOpen);
        return new SenderState
        {
            Received = (long?)session.Scalar(Sender, run, name) ?? 0,
            Refusals = session.Query(
                Refusals, static row => new RunRefusal { Number = row.GetInt64(0), Code = TextOf(row, 1)! }, run, name, firstOpen),
        };
    }

    /// <summary>Forgets the messages up to a position, and returns those that follow.</summary>
    public static IReadOnlyList<RunMessage> Read(Session session, long run, long after)
    {
        if (after > 0)
        {
            session.Execute(CountDone, run, after);
            session.Execute(Done, run, after);
        }

        return session.Query(Waiting, MessageOf, run, after);
    }

    private static (InboxState Inbox, long Position) Look(Session session, long run, RunMessage message)
    {
        var received = message.Sender is null ? null : session.Scalar(Sender, run, MessageNames.HashOf(message.Sender));
        var fingerprint = message.Key is null ? null : session.Scalar(Key, run, MessageNames.HashOf(MessageNames.KeyOf(message)));
        using var row = session.Read(Box, run);
        if (!row.Read())
        {
            throw new RunStoreException("The run is no longer kept.");
        }

        var inbox = new InboxState
        {
            TakesMessages = row.GetBoolean(0),
            Status = (RunStatus)row.GetInt32(1),
            Pending = row.GetInt64(2),
            Seen = row.GetInt64(3),
            Received = (long?)received ?? 0,
            KnownFingerprint = (byte[]?)fingerprint,
        };
        return (inbox, row.GetInt64(4));
    }

    private static void RecordMessage(Session session, long run, RunMessage message, ReceiveOutcome outcome, long seen, long position)
    {
        var isNew = outcome == ReceiveOutcome.Accepted;
        var isKept = isNew && message.Refusal is null;
        session.Execute(Count, run, isKept ? 1L : 0L, isKept ? message.Data.Length + InboxState.Overhead : 0L);
        if (message.Sender is not null)
        {
            var name = MessageNames.HashOf(message.Sender);
            session.Execute(Remember, run, 1L, name, isNew ? message.Number : 0L, seen, null);
            if (isNew && message.Refusal is not null)
            {
                session.Execute(RememberRefusal, run, name, message.Number, MessageNames.BytesOf(message.Refusal));
                session.Execute(ForgetOldRefusals, run, name, (long)MessageNames.RememberedRefusals);
            }
        }

        if (message.Key is not null)
        {
            session.Execute(Remember, run, 0L, MessageNames.HashOf(MessageNames.KeyOf(message)), 0L, seen, message.ComputeFingerprint());
        }

        if (isKept)
        {
            session.Execute(
                Record, run, position, message.IsBinary ? 1L : 0L, MessageNames.BytesOf(message.Sender), message.Number,
                MessageNames.BytesOf(message.Key), MessageNames.BytesOf(message.KeyOwner), Events.ArrayOf(message.Data));
        }

        if (seen % MessageNames.ForgetEvery == 0)
        {
            session.Execute(ForgetRefusals, run, (long)MessageNames.RememberedSenders);
            session.Execute(ForgetNames, run, 1L, (long)MessageNames.RememberedSenders);
            session.Execute(ForgetNames, run, 0L, (long)MessageNames.RememberedKeys);
        }
    }

    private static RunMessage MessageOf(SqliteDataReader row) => new()
    {
        Position = row.GetInt64(0),
        IsBinary = row.GetBoolean(1),
        Sender = TextOf(row, 2),
        Number = row.GetInt64(3),
        Key = TextOf(row, 4),
        KeyOwner = TextOf(row, 5),
        Data = row.GetFieldValue<byte[]>(6),
    };

    private static string? TextOf(SqliteDataReader row, int column) =>
        row.IsDBNull(column) ? null : MessageNames.TextOf(row.GetFieldValue<byte[]>(column));
}
