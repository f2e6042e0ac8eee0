using System.Threading.Tasks.Sources;

namespace Perennial.AspNetCore.Stores;

/// <summary>Wakes one waiter, again and again, without allocating. Set by anybody from any thread; waited for by one.</summary>
/// <remarks>
/// Setting it never runs the waiter on the caller's stack. A signal that is set while nobody waits ends the next wait at once; set twice
/// before that, it still ends one.
/// </remarks>
public sealed class RunSignal : IThreadPoolWorkItem, IValueTaskSource
{
    private const int Quiet = 0;
    private const int Awaited = 1;
    private const int Raised = 2;

    private ManualResetValueTaskSourceCore<bool> _wait;     // continues on the pool's thread that executes this signal
    private int _state;

    /// <summary>Ends the wait that goes on, or the next one.</summary>
    public void Set()
    {
        // The exchange is also the fence between what was recorded before and what the waiter looks at after.
        if (Interlocked.Exchange(ref _state, Raised) == Awaited)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>Sets the signal, and runs who waits for it on the caller's stack, which is a thread of the pool and holds no lock.</summary>
    internal void SetAndRun()
    {
        if (Interlocked.Exchange(ref _state, Raised) == Awaited)
        {
            Run();
        }
    }

    /// <summary>Waits until the signal is set, and takes it back. One wait at a time.</summary>
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
