using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>The rows of runs.</summary>
internal static class Runs
{
    private const string HasKey = "SELECT 1 FROM starts WHERE name = $1 AND request = $2";

    private const string Insert = """
        INSERT INTO runs (id, epoch, takes_messages, retention, dialect, owner, key, metadata, resume_with)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
        ON CONFLICT (id) DO NOTHING RETURNING run
        """;

    private const string Start = "UPDATE starts SET run_id = $1 WHERE name = $2 AND request = $3";

    private const string Ended = """
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with, status, tail FROM runs WHERE id = $1 AND forget_at > $2
        """;

    private const string Owned = """
        SELECT run, id FROM runs WHERE owner = $1 AND run < $2 AND (status = 0 OR forget_at > $3) ORDER BY run DESC LIMIT $4
        """;

    private const string Keyed = "SELECT id FROM runs WHERE key = $1 AND status = 0 ORDER BY run DESC LIMIT 1";

    private const string Open = """
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with,
            coalesce((SELECT max(sequence) FROM events WHERE events.run = runs.run), 0),
            coalesce((SELECT sum(length(data) + coalesce(length(CAST(type AS BLOB)), 0) + 64) FROM events WHERE events.run = runs.run), 0)
        FROM runs WHERE status = 0
        """;

    private const string ChangeEpoch = "UPDATE runs SET epoch = $2 WHERE run = $1";

    private const int EpochLength = 12;

    /// <summary>Records a run. Returns its number; null if its id is in use.</summary>
    /// <exception cref="RunStoreException">The request that starts the run does not have its key.</exception>
    public static long? Create(Session session, NewRun run, TimeSpan retention)
    {
        if (run.Start is { } key && session.Scalar(HasKey, key.Name, key.Request.ToByteArray()) is null)
        {
            throw new RunStoreException("The request that starts the run no longer has its Idempotency-Key.");
        }

        var number = (long?)session.Scalar(
            Insert, run.Id, run.Epoch, run.TakesMessages ? 1L : 0L, (long)(run.Retention ?? retention).TotalMilliseconds, run.Dialect,
            run.Description.Owner, run.Description.Key, MetadataText.Of(run.Description), run.Description.ResumeWith);
        if (number is not null && run.Start is { } start)
        {
            session.Execute(Start, run.Id, start.Name, start.Request.ToByteArray());
        }

        return number;
    }

    /// <summary>Finds a run that has ended and is still kept.</summary>
    public static EndedRun? Find(Session session, string id, long now)
    {
        using var row = session.Read(Ended, id, now);
        if (!row.Read())
        {
            return null;
        }

        return new EndedRun(
            KeyOf(row), new RunState { Status = (RunStatus)row.GetInt32(8), Tail = row.GetInt64(9), Oldest = 1 });
    }

    /// <summary>Finds the newest kept runs of an owner before a number.</summary>
    public static List<(long Run, string Id)> FindOwned(Session session, string owner, long before, int count, long now) =>
        session.Query(Owned, static row => (row.GetInt64(0), row.GetString(1)), owner, before, now, (long)count);

    /// <summary>Finds the newest open run with a key; null if there is none.</summary>
    public static string? FindKeyed(Session session, string key) => (string?)session.Scalar(Keyed, key);

    /// <summary>Ends the open runs, whose producer is gone, except those that may be resumed. Returns how many ended, and the others.</summary>
    /// <param name="session">The writer's session.</param>
    /// <param name="mayHaveLost">
    /// Whether the newest events may be missing. Then the runs get another epoch. Otherwise the end could have the sequence of a missing
    /// event, and a reader that had that event would take the run for read.
    /// </param>
    /// <param name="now">The time.</param>
    public static (int Ended, List<LeftRun> Left) EndAll(Session session, bool mayHaveLost, long now)
    {
        var left = new List<LeftRun>();
        var open = session.Query(Open, static row => new LeftRun(KeyOf(row), row.GetInt64(8), row.GetInt64(9)));
        foreach (var found in open)
        {
            var run = found;
            if (mayHaveLost)
            {
                run = run with { Key = run.Key with { Epoch = RandomNumberGenerator.GetHexString(EpochLength, lowercase: true) } };
                session.Execute(ChangeEpoch, run.Key.Run, run.Key.Epoch);
            }

            if (run.Key.Description.ResumeWith is not null)
            {
                left.Add(run);
                continue;
            }

            Events.Append(session, run.Key.Run, run.Tail + 1, RunEnd.ProducerLost.ToEvent());
            Events.Close(session, run.Key.Run, run.Tail + 1, RunEnd.ProducerLost.Status, now);
        }

        return (open.Count - left.Count, left);
    }

    private static RunKey KeyOf(SqliteDataReader row) => new(row.GetInt64(0), row.GetString(1), row.GetString(2), TextOf(row, 3))
    {
        Description = MetadataText.Read(TextOf(row, 4), TextOf(row, 5), TextOf(row, 6), TextOf(row, 7)),
    };

    private static string? TextOf(SqliteDataReader row, int column) => row.IsDBNull(column) ? null : row.GetString(column);
}

/// <summary>A run that has ended.</summary>
/// <param name="Key">Its names.</param>
/// <param name="State">Its final state.</param>
internal sealed record EndedRun(RunKey Key, RunState State);

/// <summary>An open run that a process before has left.</summary>
/// <param name="Key">Its names.</param>
/// <param name="Tail">Its newest sequence.</param>
/// <param name="Bytes">The bytes of its events, as MaxBytesPerRun counts.</param>
internal sealed record LeftRun(RunKey Key, long Tail, long Bytes);
