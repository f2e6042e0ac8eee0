using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>The right of this process to use a file of runs. The operating system gives it to one process at a time.</summary>
/// <remarks>
/// The lock is on a file of its own beside the file of runs, because SQLite uses locks inside its own file. The lock file stays: if it were
/// deleted, two processes could hold locks on two files of the same name.
/// </remarks>
internal sealed class FileOwner : IDisposable
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly FileStream _lock;

    private FileOwner(FileStream @lock) => _lock = @lock;

    /// <summary>Waits until no other process uses the file.</summary>
    /// <exception cref="RunStoreException">Another process still uses it, or the lock file cannot be created.</exception>
    public static async Task<FileOwner> TakeAsync(
        string path, TimeSpan patience, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        for (var isFirst = true; ; isFirst = false)
        {
            try
            {
                return new FileOwner(
                    new FileStream($"{path}-lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, bufferSize: 1));
            }
            catch (Exception e) when (e is UnauthorizedAccessException or DirectoryNotFoundException or PathTooLongException)
            {
                throw new RunStoreException($"The file of runs {path} cannot be opened: {e.Message}", e);
            }
            catch (IOException e) when (time.GetElapsedTime(start) >= patience)
            {
                throw new RunStoreException(
                    $"Another process uses the file of runs {path}. One process at a time can use it. "
                    + $"This process waited {patience} (OpenTimeout).",
                    e);
            }
            catch (IOException)
            {
                if (isFirst)
                {
                    Log.WaitingForFile(logger, path);
                }
            }

            await Task.Delay(Interval, time, cancellationToken);
        }
    }

    public void Dispose() => _lock.Dispose();
}
