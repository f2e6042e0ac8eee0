using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace Perennial.Engine;

/// <summary>One run of the connection loop, from a call to connect to an ending.</summary>
[SuppressMessage("Design", "CA1001", Justification = "The sources have no timer and no wait handle: there is nothing to dispose.")]
internal sealed class TransportSession
{
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _over = new();
    private readonly TaskCompletionSource _connected = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<StreamEnd> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public TransportSession() => (Stop, Over) = (_stop.Token, _over.Token);

    /// <summary>Cancelled when the caller wants to leave.</summary>
    public CancellationToken Stop { get; }

    /// <summary>Cancelled when the session has ended, once everybody may know.</summary>
    public CancellationToken Over { get; }

    /// <summary>The activity in which the session was started, for its own to link to.</summary>
    public ActivityContext? StartedIn { get; private set; }

    /// <summary>Completes with the first connection, or fails with what ended the session before it.</summary>
    public Task Connected => _connected.Task;

    public Task<StreamEnd> Ended => _ended.Task;

    /// <summary>Whether <see cref="TryStart"/> was called.</summary>
    public bool IsStarted { get; private set; }

    /// <summary>Claims the right to run the loop; the first caller has it. Under the life cycle's lock.</summary>
    public bool TryStart()
    {
        if (IsStarted)
        {
            return false;
        }

        IsStarted = true;
        StartedIn = Activity.Current?.Context;
        return true;
    }

    public void RequestStop() => _stop.CancelQuietly();

    public void SetOver() => _over.CancelQuietly();

    public void SetConnected() => _connected.TrySetResult();

    /// <summary>Ends the session. Called once, under the life cycle's lock.</summary>
    public void End(StreamEnd end)
    {
        if (_connected.TrySetException(end.Error ?? new TransportException(
                TransportErrorCode.NotConnected, "The transport was closed before it was connected.")))
        {
            _ = _connected.Task.Exception;      // observed: nobody need wait for the connection
        }

        _ended.SetResult(end);
    }
}
