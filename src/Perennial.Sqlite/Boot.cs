using System.Globalization;

namespace Perennial.Sqlite;

/// <summary>
/// Tells a crash of the machine, after which unflushed commits may be missing, from a crash of the process, after which none is.
/// </summary>
internal static class Boot
{
    private const string LinuxId = "/proc/sys/kernel/random/boot_id";

    /// <summary>Returns a text that is another one after a restart of the machine. It may also change without one.</summary>
    public static string Id(TimeProvider time)
    {
        if (OperatingSystem.IsLinux() && File.Exists(LinuxId))
        {
            return File.ReadAllText(LinuxId).Trim();
        }

        var start = time.GetUtcNow() - TimeSpan.FromMilliseconds(Environment.TickCount64);
        return start.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
    }
}
