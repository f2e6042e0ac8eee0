using System.Diagnostics.CodeAnalysis;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>
/// The waiting writes of this process, in the order of the calls. Bounded by bytes. Any thread adds writes; one takes them.
/// </summary>
internal sealed class WriteQueue(long maxBytesPerRun, long maxQueuedBytes, TimeProvider time)
{
    private const long BatchBytes = 1024 * 1024;
    private const int BatchWrites = 4096;

    private readonly Lock _gate = new();
    private readonly LinkedList<QueuedWrite> _writes = new();
    private readonly RunSignal _news = new();
    private TaskCompletionSource? _drained;
    private long _bytes;        // queued, and neither written nor failed
    private bool _isClosed;

    /// <summary>Adds an event. Returns false with the reason if it is refused.</summary>
    /// <exception cref="RunStoreException">An earlier write of this run was abandoned, or the store is closed.</exception>
    public bool TryAppend(ProducedRun run, RunEvent item, [NotNullWhen(true)] out QueuedWrite? write, out AppendOutcome refusal)
    {
        lock (_gate)
        {
            ThrowIfUselessLocked(run);
            write = null;
            refusal = RefusalOfLocked(run, item.Size) ?? AppendOutcome.Appended;
            if (refusal != AppendOutcome.Appended)
            {
                return false;
            }

            run.Bytes += item.Size;
            write = new QueuedWrite(run, item, RunStatus.Running, time.GetTimestamp());
            AddLocked(write);
        }

        _news.Set();
        return true;
    }

    /// <summary>Adds the end of a run. If an end is already under way, returns that one.</summary>
    /// <exception cref="RunStoreException">An earlier write of this run was abandoned, or the store is closed.</exception>
    public QueuedWrite End(ProducedRun run, RunEnd ending)
    {
        lock (_gate)
        {
            ThrowIfUselessLocked(run);
            if (run.Ending is { } underWay)
            {
                return underWay;
            }

            run.Ending = new QueuedWrite(run, ending.ToEvent(), ending.Status, time.GetTimestamp());
            AddLocked(run.Ending);
        }

        _news.Set();
        return run.Ending;
    }

    /// <summary>Waits until a write may have been added. Used only by the writer.</summary>
    public ValueTask WaitAsync() => _news.WaitAsync();

    /// <summary>Wakes the writer without work.</summary>
    public void Wake() => _news.Set();

    /// <summary>Waits until no write is under way.</summary>
    public Task DrainAsync()
    {
        lock (_gate)
        {
            if (_bytes == 0)
            {
                return Task.CompletedTask;
            }

            _drained ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _drained.Task;
        }
    }

    /// <summary>Takes the waiting writes, up to the size of a batch; empty if there are none.</summary>
    public List<QueuedWrite> Take()
    {
        var taken = new List<QueuedWrite>();
        lock (_gate)
        {
            for (var bytes = 0L; bytes < BatchBytes && taken.Count < BatchWrites && _writes.First is { } first; _writes.RemoveFirst())
            {
                taken.Add(first.Value);
                bytes += first.Value.Content.Size;
            }
        }

        return taken;
    }

    /// <summary>Records that a write is no longer under way, which frees its room.</summary>
    public void Release(QueuedWrite write)
    {
        lock (_gate)
        {
            _bytes -= write.Content.Size;
            write.Run.Waiting -= write.Content.Size;
            if (_bytes == 0)
            {
                _drained?.TrySetResult();
            }
        }
    }

    /// <summary>Records that the store accepts no more events of a run.</summary>
    public void Refuse(ProducedRun run, AppendOutcome refusal)
    {
        lock (_gate)
        {
            run.Refusal = refusal;
        }
    }

    /// <summary>Returns the runs with writes that have waited too long.</summary>
    public IEnumerable<ProducedRun> Overdue(TimeSpan limit)
    {
        lock (_gate)
        {
            return [.. _writes.Where(write => IsOverdue(write, limit)).Select(write => write.Run).Distinct()];
        }
    }

    public bool IsOverdue(QueuedWrite write, TimeSpan limit) => write.EnqueuedAt is { } since && time.GetElapsedTime(since) >= limit;

    /// <summary>Fails the waiting and later writes of a run, and queues its end to be recorded as soon as possible.</summary>
    public void GiveUp(ProducedRun run, RunStoreException failure, RunEnd? ending)
    {
        List<QueuedWrite> failed = [];
        lock (_gate)
        {
            if (run.Failure is not null)
            {
                return;
            }

            run.Failure = failure;
            for (var node = _writes.First; node is not null;)
            {
                var next = node.Next;
                if (node.Value.Run == run)
                {
                    _writes.Remove(node);
                    failed.Add(node.Value);
                }

                node = next;
            }

            if (ending is not null)
            {
                AddLocked(new QueuedWrite(run, ending.ToEvent(), ending.Status, enqueuedAt: null));
            }
        }

        failed.ForEach(write => Fail(write, failure));
        _news.Set();
    }

    /// <summary>Fails a write that the writer has taken.</summary>
    public void Fail(QueuedWrite write, RunStoreException failure)
    {
        Release(write);
        write.TrySetException(failure);
    }

    /// <summary>Fails all waiting writes, and refuses later ones.</summary>
    public void Close()
    {
        lock (_gate)
        {
            _isClosed = true;
        }

        foreach (var write in TakeAll())
        {
            Fail(write, Closed());
        }
    }

    public static RunStoreException Closed() => new("The store of runs is closed.");

    private List<QueuedWrite> TakeAll()
    {
        lock (_gate)
        {
            List<QueuedWrite> all = [.. _writes];
            _writes.Clear();
            return all;
        }
    }

    private AppendOutcome? RefusalOfLocked(ProducedRun run, long size)
    {
        if (run.Refusal is { } refusal)
        {
            return refusal;
        }

        if (run.Ending is not null)
        {
            return AppendOutcome.Closed;
        }

        if (run.Bytes + size > maxBytesPerRun)
        {
            return AppendOutcome.TooLarge;
        }

        return run.Waiting > 0 && _bytes + size > maxQueuedBytes ? AppendOutcome.StoreFull : null;
    }

    private void ThrowIfUselessLocked(ProducedRun run)
    {
        if (run.Failure is { } failure)
        {
            throw new RunStoreException(failure.Message, failure);
        }

        if (_isClosed)
        {
            throw Closed();
        }
    }

    private void AddLocked(QueuedWrite write)
    {
        _writes.AddLast(write);
        _bytes += write.Content.Size;
        write.Run.Waiting += write.Content.Size;
    }
}
