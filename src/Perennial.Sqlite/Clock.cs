namespace Perennial.Sqlite;

/// <summary>The time as the file keeps it, so that it has a meaning for the next process: milliseconds since 1970 (UTC).</summary>
internal static class Clock
{
    public static long Now(this TimeProvider time) => time.GetUtcNow().ToUnixTimeMilliseconds();
}
