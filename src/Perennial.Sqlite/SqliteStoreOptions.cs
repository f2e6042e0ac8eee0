using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Options for runs in a SQLite file. Every default works without changes.</summary>
/// <remarks>Set in <c>AddSqliteStore</c> and not changed afterwards. Reading is safe from any thread.</remarks>
public sealed class SqliteStoreOptions
{
    /// <summary>
    /// Gets or sets whether every event is flushed to the disk before it is confirmed. Default false.
    /// </summary>
    /// <remarks>
    /// A process that ends in any way, also by SIGKILL, never loses anything that was confirmed. Only a power cut or a crash of the
    /// operating system makes a difference. By default such a crash may lose the newest events of runs that were still open, which end as
    /// lost anyway; new runs, ends, messages and idempotency keys are always flushed, together with all events before them. If true, such a
    /// crash loses nothing, and every group of events waits for the disk.
    /// </remarks>
    public bool FlushEveryEvent { get; set; }

    /// <summary>
    /// Gets or sets how long the start of the host waits for another process to release the file. Default 30 s; zero to 1 hour.
    /// </summary>
    /// <remarks>
    /// One process at a time uses a file. During a deployment the new process waits until the old one has stopped. After this time the
    /// host does not start.
    /// </remarks>
    public TimeSpan OpenTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets how long a write waits while the disk is full or another program locks the file, before the write and its run fail.
    /// Default 30 s; zero to 1 hour.
    /// </summary>
    /// <remarks>Checked after each failed attempt. A locked file adds up to a second for each attempt.</remarks>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the largest size of the file, in bytes. Default 16 GiB; 1 MiB to 1 TiB.
    /// </summary>
    /// <remarks>
    /// When the limit is reached, or the disk is full, finished runs are forgotten early, those with the least time left first. If all runs
    /// are still open, events wait for <see cref="WriteTimeout"/>. A file that is larger already does not grow. The write-ahead log beside
    /// the file takes up to about 64 MiB in addition.
    /// </remarks>
    public long MaxFileBytes { get; set; } = 16L << 30;

    /// <summary>
    /// Gets or sets the most bytes of events that are cached in memory, to serve readers without a query. Default 64 MiB; 1 MiB to 1 TiB.
    /// </summary>
    /// <remarks>
    /// Counted as in <see cref="AspNetCore.PerennialServerOptions.MaxBytesPerRun"/>. Each form in which an event is read takes its bytes in
    /// addition.
    /// </remarks>
    public long MaxCachedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Gets or sets the most bytes of events that wait to be written. Default 64 MiB; 1 MiB to 1 TiB.</summary>
    /// <remarks>
    /// A run that waits for each of its writes is never refused, because it has only one event here at a time. This is its backpressure.
    /// Beyond the limit the second event of a run that does not wait is refused, and the run ends as failed with the code
    /// <c>store_full</c>.
    /// </remarks>
    public long MaxQueuedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names the member and the range.</exception>
    public void Validate()
    {
        OptionRange.Require(OpenTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(OpenTimeout));
        OptionRange.Require(WriteTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(WriteTimeout));
        OptionRange.Require(MaxFileBytes, 1L << 20, 1L << 40, nameof(MaxFileBytes));
        OptionRange.Require(MaxCachedBytes, 1L << 20, 1L << 40, nameof(MaxCachedBytes));
        OptionRange.Require(MaxQueuedBytes, 1L << 20, 1L << 40, nameof(MaxQueuedBytes));
    }
}
