namespace Perennial.Engine;

/// <summary>Where those who send find the present connection, or wait for the next.</summary>
/// <param name="gate">The transport's lock.</param>
internal sealed class ConnectionSlot(Lock gate)
{
    private TransportConnection? _present;
    private TaskCompletionSource<TransportConnection>? _next;       // somebody waits while there is none
    private int _count;

    /// <summary>The present connection, or <see langword="null"/> where there is none.</summary>
    public TransportConnection? Present
    {
        get
        {
            lock (gate)
            {
                return _present;
            }
        }
    }

    public void Put(TransportConnection connection)
    {
        lock (gate)
        {
            connection.Number = ++_count;
            _present = connection;
            _next?.SetResult(connection);
            _next = null;
        }
    }

    /// <summary>There is no connection; one may come.</summary>
    public void Clear()
    {
        lock (gate)
        {
            _present = null;
        }
    }

    /// <summary>This connection takes nothing more, whether or not its reader has found out: those who send wait for another.</summary>
    public void Drop(TransportConnection connection)
    {
        lock (gate)
        {
            if (ReferenceEquals(_present, connection))
            {
                _present = null;
            }
        }
    }

    /// <summary>The present connection, or the next.</summary>
    public Task<TransportConnection> GetAsync(CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (_present is not null)
            {
                return Task.FromResult(_present);
            }

            _next ??= new TaskCompletionSource<TransportConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _next.Task.WaitAsync(cancellationToken);
        }
    }
}
