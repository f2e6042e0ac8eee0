using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>The health of the file.</summary>
internal static class FileHealth
{
    private const long FewFreeBytes = 64L << 20;
    private const double NearlyFull = 0.9;

    /// <summary>Writes to the file, and looks at the room that it has left.</summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="writer">Its writer.</param>
    /// <param name="trouble">
    /// Why events cannot be recorded at present; null if they can. A large event may fail where this check succeeds.
    /// </param>
    /// <param name="cancellationToken">Cancels the check.</param>
    public static async ValueTask<HealthCheckResult> CheckAsync(
        string path, WriterThread writer, RunStoreException? trouble, CancellationToken cancellationToken)
    {
        if (trouble is not null)
        {
            return HealthCheckResult.Unhealthy(trouble.Message, trouble);
        }

        try
        {
            if (await writer.DoAsync(WriteAndMeasure, isFlushed: false, cancellationToken) > NearlyFull)
            {
                return HealthCheckResult.Degraded("The file of runs is nearly as large as MaxFileBytes allows.");
            }
        }
        catch (RunStoreException e)
        {
            return HealthCheckResult.Unhealthy(e.Message, e);
        }

        return new DriveInfo(Path.GetDirectoryName(path)!).AvailableFreeSpace < FewFreeBytes
            ? HealthCheckResult.Degraded("The disk of the file of runs has less than 64 MiB left.")
            : HealthCheckResult.Healthy("Runs can be recorded and read.");
    }

    /// <summary>Returns the part of the file that is in use, of the size that is allowed.</summary>
    private static double WriteAndMeasure(Session session)
    {
        session.Execute("UPDATE store SET is_clean = 0");
        return (double)(Pages("page_count") - Pages("freelist_count")) / Pages("max_page_count");

        long Pages(string pragma) => (long)session.Run($"PRAGMA {pragma}")!;
    }
}
