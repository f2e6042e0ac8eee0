using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Perennial.Engine;

/// <summary>
/// One run of the connection loop, from the call that connects until the end of the stream. Tasks and token sources are created only when a
/// caller needs them.
/// </summary>
/// <param name="gate">The transport's lock.</param>
[SuppressMessage("Design", "CA1001", Justification = "The sources have no timer and no wait handle, so there is nothing to dispose.")]
internal sealed class TransportSession(Lock gate)
{
    private CancellationTokenSource? _lifetime;     // covers the present work of the loop
    private TaskCompletionSource? _connected;
    private TaskCompletionSource<StreamEnd>? _ended;
    private CancellationTokenSource? _over;
    private StreamEnd? _end;
    private bool _isConnected;
    private bool _isOver;
    private volatile bool _isLeft;

    /// <summary>Whether the caller has closed the transport.</summary>
    public bool IsLeft => _isLeft;

    /// <summary>The activity in which the session was started, for links. <see langword="null"/> if there was none.</summary>
    public IEnumerable<ActivityLink>? Links { get; private set; }

    /// <summary>Whether <see cref="TryStart"/> was called.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>Whether <see cref="End"/> was called.</summary>
    public bool HasEnded => Volatile.Read(ref _end) is not null;

    /// <summary>Completes with the present or the next connection, or fails with the error that ended the session before it.</summary>
    public Task Connected
    {
        get
        {
            lock (gate)
            {
                return _isConnected ? Task.CompletedTask
                    : _end is not null ? Task.FromException(NotConnected(_end))
                    : (_connected ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>Completes with how the session ended.</summary>
    public Task<StreamEnd> Ended
    {
        get
        {
            lock (gate)
            {
                return _end is not null
                    ? Task.FromResult(_end)
                    : (_ended ??= new TaskCompletionSource<StreamEnd>(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            }
        }
    }

    /// <summary>Cancelled when the session has ended and its end is visible to all threads.</summary>
    public CancellationToken Over
    {
        get
        {
            lock (gate)
            {
                return _isOver ? new CancellationToken(canceled: true) : (_over ??= new CancellationTokenSource()).Token;
            }
        }
    }

    /// <summary>Claims the right to run the loop. Only the first caller gets it. Called under the lock.</summary>
    public bool TryStart()
    {
        if (IsStarted)
        {
            return false;
        }

        IsStarted = true;
        Links = Activity.Current is { } starter ? [new ActivityLink(starter.Context)] : null;
        return true;
    }

    /// <summary>
    /// Creates a token source for the next work of the loop, which is cancelled when the caller closes the transport. It replaces the
    /// previous source.
    /// </summary>
    public CancellationTokenSource NewLifetime()
    {
        var lifetime = new CancellationTokenSource();
        lock (gate)
        {
            _lifetime = lifetime;
        }

        if (IsLeft)
        {
            lifetime.Cancel();
        }

        return lifetime;
    }

    public void RequestStop()
    {
        CancellationTokenSource? lifetime;
        lock (gate)
        {
            _isLeft = true;
            lifetime = _lifetime;
        }

        lifetime?.CancelQuietly();
    }

    public void SetOver()
    {
        lock (gate)
        {
            _isOver = true;
        }

        _over?.CancelQuietly();
    }

    public void SetConnected()
    {
        lock (gate)
        {
            _isConnected = true;
        }

        _connected?.TrySetResult();
    }

    /// <summary>Records that the connection was lost: <see cref="Connected"/> waits for the next one.</summary>
    public void SetReconnecting()
    {
        lock (gate)
        {
            if (_isConnected)
            {
                (_isConnected, _connected) = (false, null);
            }
        }
    }

    /// <summary>Ends the session. Called once, under the lock.</summary>
    public void End(StreamEnd end)
    {
        Volatile.Write(ref _end, end);
        if (_connected?.TrySetException(NotConnected(end)) == true)
        {
            _ = _connected.Task.Exception;      // observed, because no caller may be waiting for the connection
        }

        _ended?.SetResult(end);
    }

    private static TransportException NotConnected(StreamEnd end) =>
        end.Error ?? new TransportException(TransportErrorCode.NotConnected, "The transport was closed before it was connected.");
}
