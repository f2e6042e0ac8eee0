namespace Perennial.Sqlite;

/// <summary>Deletes finished runs whose retention has passed, by the clock of the machine.</summary>
internal static class Retention
{
    private const string Due = "SELECT run FROM runs WHERE forget_at <= $1 ORDER BY forget_at LIMIT $2";

    // Space of deleted runs goes back to the file system in steps, so that no step delays other work for long.
    private const string Shrink = "PRAGMA incremental_vacuum(2000)";

    private const int RunsAtATime = 20;

    private static readonly string[] Tables = ["events", "messages", "names", "refusals", "runs"];

    private static readonly string[] Deletes = [.. Tables.Select(static table => $"DELETE FROM {table} WHERE run = $1")];

    /// <summary>Deletes some of the runs that are due. Returns their number, and whether there may be more.</summary>
    public static (int Forgotten, bool HasMore) ForgetSome(Session session, long now)
    {
        var due = session.Query(Due, static row => row.GetInt64(0), now, (long)RunsAtATime);
        foreach (var run in due)
        {
            foreach (var delete in Deletes)
            {
                session.Execute(delete, run);
            }
        }

        session.Run(Shrink);
        return (due.Count, due.Count == RunsAtATime);
    }
}
