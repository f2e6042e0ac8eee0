using System.Threading.Tasks.Sources;

namespace Perennial.AspNetCore.Stores;

/// <summary>Wakes one waiter repeatedly, without allocating. Any thread may set it; one caller waits.</summary>
/// <remarks>
/// Setting it never runs the waiter on the caller's stack. A signal that is set without a waiter ends the next wait at once. If it is set
/// twice before that wait, it still ends only one.
/// </remarks>
public sealed class RunSignal : IThreadPoolWorkItem, IValueTaskSource
{
    private const int Quiet = 0;
    private const int Awaited = 1;
    private const int Raised = 2;

    private ManualResetValueTaskSourceCore<bool> _wait;     // continues on the pool's thread that executes this signal
    private int _state;

    /// <summary>Ends the current wait, or the next one.</summary>
    public void Set()
    {
        // The exchange is also the memory fence between earlier records and the waiter's later reads.
        if (Interlocked.Exchange(ref _state, Raised) == Awaited)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Sets the signal, and runs the waiter on the caller's stack, which must be a thread of the pool without a lock.</summary>
    internal void SetAndRun()
    {
        if (Interlocked.Exchange(ref _state, Raised) == Awaited)
        {
            Run();
        }
    }

    /// <summary>Waits until the signal is set, and resets it. One wait at a time.</summary>
    public ValueTask WaitAsync()
    {
        if (Interlocked.CompareExchange(ref _state, Quiet, Raised) == Raised)
        {
            return ValueTask.CompletedTask;
        }

        _wait.Reset();
        if (Interlocked.CompareExchange(ref _state, Awaited, Quiet) == Quiet)
        {
            return new ValueTask(this, _wait.Version);
        }

        Interlocked.Exchange(ref _state, Quiet);
        return ValueTask.CompletedTask;
    }

    void IThreadPoolWorkItem.Execute() => Run();

    private void Run()
    {
        Interlocked.Exchange(ref _state, Quiet);
        _wait.SetResult(true);
    }

    void IValueTaskSource.GetResult(short token) => _wait.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _wait.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _wait.OnCompleted(continuation, state, token, flags);
}
