using System.Threading.Tasks.Sources;

namespace Perennial.Engine;

/// <summary>
/// The one wait of a buffer's reader. It is reused. A thread that ends the wait first claims it under the buffer's lock, and then completes
/// it outside the lock.
/// </summary>
internal sealed class ReaderWait(Lock gate) : IValueTaskSource<StreamEnd?>
{
    private ManualResetValueTaskSourceCore<StreamEnd?> _arrival = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _cancellation;

    /// <summary>Whether the reader waits. Under the lock.</summary>
    public bool IsPending { get; private set; }

    /// <summary>Starts a wait. Called under the lock; <see cref="AsValueTask"/> must follow outside it.</summary>
    public void Begin()
    {
        _arrival.Reset();
        IsPending = true;
    }

    /// <summary>Returns the wait that was started. A cancellation ends it too.</summary>
    public ValueTask<StreamEnd?> AsValueTask(CancellationToken cancellationToken)
    {
        if (cancellationToken.CanBeCanceled)
        {
            _cancellation = cancellationToken.UnsafeRegister(static (wait, token) => ((ReaderWait)wait!).Cancel(token), this);
        }

        return new ValueTask<StreamEnd?>(this, _arrival.Version);
    }

    /// <summary>Claims the right to complete the wait, if there is one and the condition holds. Called under the lock.</summary>
    public bool TryClaim(bool condition)
    {
        if (!condition || !IsPending)
        {
            return false;
        }

        IsPending = false;
        return true;
    }

    /// <summary>Completes a claimed wait.</summary>
    public void Complete(StreamEnd? end) => _arrival.SetResult(end);

    StreamEnd? IValueTaskSource<StreamEnd?>.GetResult(short token)
    {
        _cancellation.Dispose();
        _cancellation = default;
        return _arrival.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<StreamEnd?>.GetStatus(short token) => _arrival.GetStatus(token);

    void IValueTaskSource<StreamEnd?>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _arrival.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken cancellationToken)
    {
        bool isClaimed;
        lock (gate)
        {
            isClaimed = TryClaim(true);
        }

        if (isClaimed)
        {
            _arrival.SetException(new OperationCanceledException(cancellationToken));
        }
    }
}
