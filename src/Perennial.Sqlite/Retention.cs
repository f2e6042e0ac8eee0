namespace Perennial.Sqlite;

/// <summary>
/// Deletes finished runs whose retention has passed, by the clock of the machine. If there is no room, finished runs are deleted earlier.
/// </summary>
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
        var forgotten = Forget(session, now, RunsAtATime);
        return (forgotten, forgotten == RunsAtATime);
    }

    /// <summary>Deletes the finished run with the least time left. Returns 0 if all runs are open.</summary>
    public static int ForgetEarly(Session session) => Forget(session, long.MaxValue, most: 1);

    private static int Forget(Session session, long until, int most)
    {
        var due = session.Query(Due, static row => row.GetInt64(0), until, (long)most);
        foreach (var run in due)
        {
            foreach (var delete in Deletes)
            {
                session.Execute(delete, run);
            }
        }

        session.Run(Shrink);
        return due.Count;
    }
}
