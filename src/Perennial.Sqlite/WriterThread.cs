using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>
/// The only writer of the file: a thread that does all waiting work in one transaction, and confirms each work after the commit.
/// </summary>
/// <remarks>
/// Any thread adds work. The thread is its own because SQLite blocks it while the disk is slow. If one work fails, the others are done
/// again without it.
/// </remarks>
internal sealed class WriterThread : IDisposable
{
    private const int MaxWaiting = 20_000;
    private const int MaxTogether = 1000;

    private readonly BlockingCollection<Work> _waiting = new(MaxWaiting);
    private readonly Session _session;
    private readonly Thread _thread;
    private bool _isFlushing;       // used by the thread only

    /// <summary>Starts the thread. It owns the session from now on.</summary>
    public WriterThread(Session session)
    {
        _session = session;
        _thread = new Thread(Run) { IsBackground = true, Name = "Perennial.Sqlite" };
        _thread.Start();
    }

    /// <summary>Does work in a transaction, together with other work that waits.</summary>
    /// <param name="work">The work. It may be done again after a failure, because that undoes all of it.</param>
    /// <param name="isFlushed">Whether the disk has the work when the task completes, even if the power fails.</param>
    /// <param name="cancellationToken">Stops the wait, not the work.</param>
    /// <exception cref="RunStoreException">The work is not done, or it is unknown whether it is.</exception>
    public Task<T> DoAsync<T>(Func<Session, T> work, bool isFlushed, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var waiting = new Work<T>(work, isFlushed);
        try
        {
            if (!_waiting.TryAdd(waiting))
            {
                throw new RunStoreException("Too many calls wait for the file of runs.");
            }
        }
        catch (InvalidOperationException e)
        {
            throw new RunStoreException("The store of runs is closed.", e);
        }

        return waiting.Done.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Does all waiting work, and ends the thread. Later work fails.</summary>
    public void Dispose()
    {
        _waiting.CompleteAdding();
        _thread.Join();
        _session.Dispose();
    }

    private void Run()
    {
        var together = new List<Work>();
        foreach (var first in _waiting.GetConsumingEnumerable())
        {
            together.Add(first);
            while (together.Count < MaxTogether && _waiting.TryTake(out var next))
            {
                together.Add(next);
            }

            Commit(together);
            together.Clear();
        }
    }

    private void Commit(List<Work> together)
    {
        try
        {
            Flush(together.Exists(static work => work.IsFlushed));
            _session.Execute("BEGIN IMMEDIATE");
            foreach (var work in together)
            {
                work.Do(_session);
            }

            _session.Execute("COMMIT");
        }
        catch (Exception e)
        {
            Fail(together, e);
            return;
        }

        foreach (var work in together)
        {
            work.Confirm();
        }
    }

    private void Fail(List<Work> together, Exception failure)
    {
        Rollback();
        if (together.Count > 1 && Failures.IsOfOneWork(failure))
        {
            foreach (var work in together)
            {
                Commit([work]);
            }

            return;
        }

        foreach (var work in together)
        {
            work.Fail(failure is SqliteException own ? Failures.Explain(own) : failure);
        }
    }

    private void Rollback()
    {
        try
        {
            _session.Execute("ROLLBACK");
        }
        catch (SqliteException)
        {
            // SQLite has rolled back already, or the transaction had not begun.
        }
    }

    /// <summary>Decides whether the next commit waits for the disk. A commit that does also flushes all commits before it.</summary>
    private void Flush(bool isFlushing)
    {
        if (_isFlushing != isFlushing)
        {
            _session.Run(isFlushing ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
            _isFlushing = isFlushing;
        }
    }

    private abstract class Work(bool isFlushed)
    {
        public bool IsFlushed => isFlushed;

        public abstract void Do(Session session);

        public abstract void Confirm();

        public abstract void Fail(Exception failure);
    }

    private sealed class Work<T>(Func<Session, T> work, bool isFlushed) : Work(isFlushed)
    {
        private T _result = default!;

        public TaskCompletionSource<T> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public override void Do(Session session) => _result = work(session);

        public override void Confirm() => Done.TrySetResult(_result);

        public override void Fail(Exception failure) => Done.TrySetException(failure);
    }
}
