using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>The open file: its owner's lock, its writer and its readers.</summary>
internal sealed class RunFile : IDisposable
{
    // Each run writes to a page of its own, so pages are written again and again. A long log gathers these writes.
    private const int CheckpointPages = 4000;
    private const long LogBytes = 64L << 20;

    private readonly FileOwner _owner;

    private RunFile(FileOwner owner, WriterThread writer, ReadPool readers, List<LeftRun> left) =>
        (_owner, Writer, Readers, Left) = (owner, writer, readers, left);

    public WriterThread Writer { get; }

    public ReadPool Readers { get; }

    /// <summary>The open runs of a process before that may be resumed.</summary>
    public List<LeftRun> Left { get; }

    /// <summary>Waits for the file, opens it, and ends what a process before has left open.</summary>
    /// <exception cref="RunStoreException">The file cannot be used; the message says why.</exception>
    public static async Task<RunFile> OpenAsync(
        string path, SqliteStoreOptions options, TimeProvider time, ILogger logger, CancellationToken cancellationToken)
    {
        var owner = await FileOwner.TakeAsync(path, options.OpenTimeout, time, logger, cancellationToken);
        try
        {
            var session = Prepare(path, options, time, logger, out var left);
            return new RunFile(owner, new WriterThread(session), new ReadPool(path), left);
        }
        catch (Exception e)
        {
            owner.Dispose();
            if (e is SqliteException failure)
            {
                var reason = Failures.Explain(failure);
                throw new RunStoreException($"{reason.Message} ({path})", failure);
            }

            throw;
        }
    }

    /// <summary>Records that nothing was left open.</summary>
    public Task MarkCleanAsync(CancellationToken cancellationToken) =>
        Writer.DoAsync(static session => session.Execute("UPDATE store SET is_clean = 1"), isFlushed: true, cancellationToken);

    /// <summary>Does all waiting work, closes the file and releases it to other processes.</summary>
    public void Dispose()
    {
        Readers.Dispose();
        Writer.Dispose();
        _owner.Dispose();
    }

    private static Session Prepare(string path, SqliteStoreOptions options, TimeProvider time, ILogger logger, out List<LeftRun> left)
    {
        CreateForOwnerOnly(path);
        var session = new Session(path);
        try
        {
            Schema.Create(session, path);
            session.Run("PRAGMA synchronous = NORMAL");
            session.Run(FormattableString.Invariant($"PRAGMA wal_autocheckpoint = {CheckpointPages}"));
            session.Run(FormattableString.Invariant($"PRAGMA journal_size_limit = {LogBytes}"));
            var pages = options.MaxFileBytes / (long)session.Run("PRAGMA page_size")!;
            session.Run(FormattableString.Invariant($"PRAGMA max_page_count = {pages}"));
            left = Recover(session, path, options, time, logger);
            return session;
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Ends what a process before has left open, and returns what may be resumed. If that process crashed, the file is checked first.
    /// </summary>
    private static List<LeftRun> Recover(Session session, string path, SqliteStoreOptions options, TimeProvider time, ILogger logger)
    {
        var boot = Boot.Id(time);
        var hasCrashed = session.Scalar("SELECT 1 FROM store WHERE is_clean = 0") is not null;
        var mayHaveLost = session.Scalar(
            "SELECT 1 FROM store WHERE is_clean = 0 AND flushes_events = 0 AND boot <> $1", boot) is not null;
        if (hasCrashed && session.Run("PRAGMA quick_check(1)") is not "ok")
        {
            throw new RunStoreException(
                $"The file of runs {path} is damaged. Restore it from a backup, or move it away to begin a new one.");
        }

        session.Execute("BEGIN IMMEDIATE");
        var (lost, left) = Runs.EndAll(session, mayHaveLost, time.Now());
        Starts.ReleaseAll(session);
        session.Execute("UPDATE store SET is_clean = 0, boot = $1, flushes_events = $2", boot, options.FlushEveryEvent ? 1L : 0L);
        session.Execute("COMMIT");
        if (lost > 0)
        {
            Log.Recovered(logger, lost);
        }

        return left;
    }

    /// <summary>
    /// Creates the file, which contains conversations, so that only this user can read it. SQLite gives its other files the same rights.
    /// </summary>
    private static void CreateForOwnerOnly(string path)
    {
        if (OperatingSystem.IsWindows() || File.Exists(path))
        {
            return;
        }

        File.Open(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        }).Dispose();
    }
}
