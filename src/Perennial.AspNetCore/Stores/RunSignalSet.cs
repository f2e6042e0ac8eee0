namespace Perennial.AspNetCore.Stores;

/// <summary>The signals of all waiters for the same news. Safe from any thread.</summary>
/// <remarks>
/// The caller of <see cref="Set"/> sets a few signals itself. Threads of the pool set many signals, once for all news that came meanwhile,
/// so that the cost of a record to its producer does not grow with the readers. Such a thread runs a row of waiters itself, one after the
/// other. Before that it queues the rest to the next thread, so that a slow waiter does not delay the rest.
/// </remarks>
public sealed class RunSignalSet : IThreadPoolWorkItem
{
    private const int SetOnTheSpot = 8;

    // After a row the sends that these waiters queued to the pool run, while their memory is still in the processor's cache.
    private const int WokenInARow = 32;

    private readonly Lock _gate = new();
    private Entry[] _entries = [];
    private int _count;             // of _entries; also read outside the lock
    private int _next;              // the entry to set next
    private int _due;               // the number of entries to set from there on, with wrap-around
    private bool _isQueued;

    /// <summary>Gets whether there are no signals.</summary>
    public bool IsEmpty => Volatile.Read(ref _count) == 0;

    /// <summary>Adds a signal until the subscription is disposed. Later news sets it.</summary>
    /// <param name="signal">The signal.</param>
    /// <returns>The subscription.</returns>
    public IDisposable Add(RunSignal signal)
    {
        ArgumentNullException.ThrowIfNull(signal);
        var subscription = new Subscription(this);
        lock (_gate)
        {
            if (_count == _entries.Length)
            {
                Array.Resize(ref _entries, Math.Max(4, _count * 2));
            }

            PutLocked(new Entry(signal, subscription), _count);
            Volatile.Write(ref _count, _count + 1);
        }

        Interlocked.MemoryBarrier();    // the subscriber reads the records only after all threads can see its signal
        return subscription;
    }

    /// <summary>
    /// Sets all signals, now or very soon. Runs no waiter on the caller's stack; call it outside of locks, after recording.
    /// </summary>
    public void Set()
    {
        Interlocked.MemoryBarrier();    // the record is visible before the check for signals
        if (IsEmpty)
        {
            return;
        }

        lock (_gate)
        {
            if (_count <= SetOnTheSpot)
            {
                foreach (var entry in _entries.AsSpan(0, _count))
                {
                    entry.Signal.Set();
                }

                return;
            }

            if (_due == 0)
            {
                _next = 0;
            }

            _due = _count;
            if (_isQueued)
            {
                return;
            }

            _isQueued = true;
        }

        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute()
    {
        bool hasRest;
        lock (_gate)
        {
            hasRest = _isQueued = _due > 1;
        }

        if (hasRest)
        {
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }

        for (var woken = 0; woken < WokenInARow && TakeNext() is { } signal; woken++)
        {
            signal.SetAndRun();
        }
    }

    private RunSignal? TakeNext()
    {
        lock (_gate)
        {
            if (_due == 0)
            {
                return null;
            }

            _due--;
            if (_next >= _count)
            {
                _next = 0;
            }

            return _entries[_next++].Signal;
        }
    }

    private void Remove(Subscription subscription)
    {
        lock (_gate)
        {
            var hole = subscription.Index;
            if (hole < 0)
            {
                return;
            }

            subscription.Index = -1;
            Volatile.Write(ref _count, _count - 1);
            var last = _entries[_count];
            _entries[_count] = default;
            if (hole < _count)
            {
                MoveLocked(last, hole);
            }

            _due = Math.Min(_due, _count);
            if (_count < _entries.Length / 4)
            {
                Array.Resize(ref _entries, _entries.Length / 2);
            }
        }
    }

    private void MoveLocked(Entry entry, int index)
    {
        PutLocked(entry, index);
        if (_due > 0)
        {
            entry.Signal.Set();     // its old place is not visited any more, and its new place may have been passed
        }
    }

    private void PutLocked(Entry entry, int index)
    {
        entry.Subscription.Index = index;
        _entries[index] = entry;
    }

    private readonly record struct Entry(RunSignal Signal, Subscription Subscription);

    private sealed class Subscription(RunSignalSet set) : IDisposable
    {
        public int Index { get; set; }

        public void Dispose() => set.Remove(this);
    }
}
