namespace Perennial.Engine;

/// <summary>Where those who send find the present connection, or wait for the next.</summary>
internal sealed class ConnectionSlot
{
    private readonly Lock _gate = new();
    private TaskCompletionSource<TransportConnection> _present = NewWait();
    private int _count;

    public void Put(TransportConnection connection)
    {
        lock (_gate)
        {
            if (_present.Task.IsCompleted)
            {
                _present = NewWait();
            }

            connection.Number = ++_count;
            _present.SetResult(connection);
        }
    }

    /// <summary>There is no connection; one may come.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            if (_present.Task.IsCompleted)
            {
                _present = NewWait();
            }
        }
    }

    /// <summary>This connection takes nothing more, whether or not its reader has found out: those who send wait for another.</summary>
    public void Drop(TransportConnection connection)
    {
        lock (_gate)
        {
            if (_present.Task.IsCompletedSuccessfully && ReferenceEquals(_present.Task.Result, connection))
            {
                _present = NewWait();
            }
        }
    }

    /// <summary>The present connection, or the next.</summary>
    public Task<TransportConnection> GetAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return _present.Task.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource<TransportConnection> NewWait() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
