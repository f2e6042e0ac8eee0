namespace Perennial.AspNetCore.Stores;

/// <summary>The signals of all who wait for the same news. Safe from any thread.</summary>
/// <remarks>
/// Few signals are set where the news is made. Many are set by a thread of the pool, once for all news that came meanwhile, so that the cost
/// of a record to its producer does not grow with the readers.
/// </remarks>
public sealed class RunSignalSet : IThreadPoolWorkItem
{
    private const int SetOnTheSpot = 8;

    private readonly Lock _gate = new();
    private readonly LinkedList<RunSignal> _signals = new();
    private int _count;             // of _signals, to be read outside the lock
    private int _isQueued;

    /// <summary>Whether nobody waits.</summary>
    public bool IsEmpty => Volatile.Read(ref _count) == 0;

    /// <summary>Adds a signal until the subscription is disposed. What is recorded from now on sets it.</summary>
    /// <param name="signal">The signal.</param>
    /// <returns>The subscription.</returns>
    public IDisposable Add(RunSignal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        var node = new LinkedListNode<RunSignal>(signal);
        lock (_gate)
        {
            _signals.AddLast(node);
            Volatile.Write(ref _count, _signals.Count);
        }

        Interlocked.MemoryBarrier();    // the subscriber looks at the records only after everybody can see its signal
        return new Subscription(this, node);
    }

    /// <summary>Sets all signals, now or very soon. Runs no waiter on the caller's stack; call it outside of locks, after recording.</summary>
    public void Set()
    {
        Interlocked.MemoryBarrier();    // what was recorded is visible before it is decided that nobody waits
        var count = Volatile.Read(ref _count);
        if (count == 0)
            return;
        if (count <= SetOnTheSpot)
            SetAll();
        else if (Interlocked.Exchange(ref _isQueued, 1) == 0)
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        Interlocked.Exchange(ref _isQueued, 0);
        SetAll();
    }

    private void SetAll()
    {
        lock (_gate)
        {
            for (var node = _signals.First; node is not null; node = node.Next)
                node.Value.Set();
        }
    }

    private void Remove(LinkedListNode<RunSignal> node)
    {
        lock (_gate)
        {
            if (node.List is null)
                return;
            _signals.Remove(node);
            Volatile.Write(ref _count, _signals.Count);
        }
    }

    private sealed class Subscription(RunSignalSet set, LinkedListNode<RunSignal> node) : IDisposable
    {
        public void Dispose() => set.Remove(node);
    }
}
