namespace Perennial.Engine;

/// <summary>Holds the present connection for senders, which can also wait for the next one.</summary>
/// <param name="gate">The transport's lock.</param>
internal sealed class ConnectionSlot(Lock gate)
{
    private TransportConnection? _present;
    private TaskCompletionSource<TransportConnection>? _next;       // set while a sender waits for a connection
    private int _count;

    /// <summary>The present connection, or <see langword="null"/> if there is none.</summary>
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

    /// <summary>Removes the connection. Another one may follow.</summary>
    public void Clear()
    {
        lock (gate)
        {
            _present = null;
        }
    }

    /// <summary>
    /// Removes a connection that cannot send any more, even if its reader has not detected that yet. Senders wait for another one.
    /// </summary>
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

    /// <summary>Returns the present connection, or waits for the next.</summary>
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
