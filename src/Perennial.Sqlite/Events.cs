using System.Runtime.InteropServices;
using Microsoft.Data.Sqlite;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Writes and reads the records of runs.</summary>
internal static class Events
{
    private const string Insert = "INSERT INTO events (run, sequence, kind, type, data) VALUES ($1, $2, $3, $4, $5)";

    private const string End = """
        UPDATE runs SET status = $2, tail = $3, forget_at = $4 + retention, pending = 0 WHERE run = $1 AND status = 0
        """;

    private const string DropMessages = "DELETE FROM messages WHERE run = $1";

    private const string Page = """
        SELECT sequence, kind, type, data FROM events WHERE run = $1 AND sequence > $2 AND sequence < $3 ORDER BY sequence
        """;

    /// <summary>Records an event.</summary>
    public static void Append(Session session, long run, long sequence, RunEvent item) =>
        session.Execute(Insert, run, sequence, (long)item.Kind, item.EventType, ArrayOf(item.Data));

    /// <summary>Records the end of a run, whose event is recorded already.</summary>
    /// <exception cref="RunStoreException">The run has ended or is gone, which only another program can have done.</exception>
    public static void Close(Session session, long run, long tail, RunStatus status, long now)
    {
        if (session.Execute(End, run, (long)status, tail, now) != 1)
        {
            throw new RunStoreException("Another program has changed the file of runs.");
        }

        session.Execute(DropMessages, run);
    }

    /// <summary>Reads the records between two sequences, both excluded, up to about a number of bytes.</summary>
    public static RunRecord[] Read(Session session, RunKey key, long after, long before, long maxBytes)
    {
        var records = new List<RunRecord>();
        using var row = session.Read(Page, key.Run, after, before);
        for (var bytes = 0L; bytes < maxBytes && row.Read();)
        {
            var record = RecordOf(key, row);
            records.Add(record);
            bytes += record.Content.Size;
        }

        return [.. records];
    }

    private static RunRecord RecordOf(RunKey key, SqliteDataReader row) => new(
        key.Epoch,
        row.GetInt64(0),
        new RunEvent
        {
            Kind = (RunDataKind)row.GetInt32(1),
            EventType = row.IsDBNull(2) ? null : row.GetString(2),
            Data = row.GetFieldValue<byte[]>(3),
        });

    // The driver takes whole arrays only.
    public static byte[] ArrayOf(ReadOnlyMemory<byte> data) =>
        MemoryMarshal.TryGetArray(data, out var part) && part.Array is { } array && part.Count == array.Length ? array : data.ToArray();
}
