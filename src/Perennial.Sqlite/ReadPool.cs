using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Perennial.AspNetCore.Stores;

namespace Perennial.Sqlite;

/// <summary>The connections that read the file. They wait neither for the writer nor for each other. Safe from any thread.</summary>
internal sealed class ReadPool(string path) : IDisposable
{
    private const int MaxReads = 4;

    private readonly ConcurrentBag<Session> _idle = [];
    private readonly SemaphoreSlim _turns = new(MaxReads);
    private volatile bool _isClosed;

    /// <summary>Reads at one moment of the file.</summary>
    /// <param name="read">One query.</param>
    /// <param name="cancellationToken">Cancels the wait for a connection.</param>
    /// <exception cref="RunStoreException">The file cannot be read.</exception>
    public async Task<T> ReadAsync<T>(Func<Session, T> read, CancellationToken cancellationToken)
    {
        await _turns.WaitAsync(cancellationToken);
        try
        {
            if (_isClosed)
            {
                throw new RunStoreException("The store of runs is closed.");
            }

            var session = _idle.TryTake(out var idle) ? idle : Open();
            var result = Read(session, read);
            _idle.Add(session);
            return result;
        }
        catch (SqliteException e)
        {
            throw Failures.Explain(e);
        }
        finally
        {
            _turns.Release();
        }
    }

    /// <summary>Waits for reads under way, and closes all connections. Later reads fail.</summary>
    public void Dispose()
    {
        _isClosed = true;
        for (var turn = 0; turn < MaxReads; turn++)
        {
            _turns.Wait();
        }

        while (_idle.TryTake(out var session))
        {
            session.Dispose();
        }

        _turns.Release(MaxReads);       // a read that waits finds that the store is closed
    }

    private Session Open()
    {
        var session = new Session(path);
        session.Run("PRAGMA query_only = ON");
        return session;
    }

    private static T Read<T>(Session session, Func<Session, T> read)
    {
        try
        {
            return read(session);
        }
        catch
        {
            session.Dispose();
            throw;
        }
    }
}
