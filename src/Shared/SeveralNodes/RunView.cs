using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>This node's view of one run, shared by all its readers on this node. Safe from any thread.</summary>
/// <remarks>
/// With a subscriber, the view answers from memory until a wake-up marks it as stale. Without one, each call queries the database. Either
/// way one query is under way at a time, and its result answers all calls made before it began.
/// </remarks>
internal sealed class RunView(RunKey key, RunViews views, RecordCache cache, IRunReads reads)
{
    private const int PageBytes = 64 * 1024;

    private readonly RunSignalSet _readers = new();
    private readonly RunSignalSet _producer = new();
    private readonly Lock _gate = new();
    private RunState _state = new RunState { Status = RunStatus.Running, Tail = 0, Oldest = 1 };
    private long _position;         // of the newest message
    private int _subscribers;
    private bool _isStale = true;
    private long _begun;            // fetches that have begun
    private long _answered;         // the newest fetch that was answered
    private Task<RunStoreException?>? _fetch;

    private volatile ProducedRun? _produced;

    public RunKey Key => key;

    /// <summary>The newest producer of the run on this node; null if there was none.</summary>
    public ProducedRun? Produced
    {
        get => _produced;
        set => _produced = value;
    }

    /// <summary>The newest sequence that this node has seen.</summary>
    public long SeenTail
    {
        get
        {
            lock (_gate)
            {
                return _state.Tail;
            }
        }
    }

    public async ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        var asked = Volatile.Read(ref _begun);
        RunSlice slice;
        while (!TryServe(after, maxBytes, asked, out slice))
        {
            if (await JoinFetch(after).WaitAsync(cancellationToken) is { } failure)
            {
                throw new RunStoreException(failure.Message, failure);
            }
        }

        return slice;
    }

    /// <summary>Reads the state; null if the run is no longer kept.</summary>
    public async ValueTask<RunState?> FindStateAsync(CancellationToken cancellationToken)
    {
        var found = await reads.StateAsync(key, SeenTail, cancellationToken);
        if (found is { } state)
        {
            Advance(state);
        }

        return found;
    }

    /// <summary>Applies events that this node has just written itself.</summary>
    public void Publish(ReadOnlySpan<RunRecord> records, RunState state)
    {
        cache.Add(key.Run, records);
        Advance(state);
    }

    /// <summary>Applies the state of the database, and wakes waiting readers if it is newer.</summary>
    public void Compare(RunStatus status, long tail, long position)
    {
        bool records, messages;
        lock (_gate)
        {
            records = tail > _state.Tail || status != _state.Status;
            messages = position > _position || status != _state.Status;
            _position = Math.Max(_position, position);
            _isStale |= records;
        }

        if (records)
        {
            _readers.Set();
        }

        if (messages)
        {
            _producer.Set();
        }
    }

    /// <summary>Marks the view as stale after any kind of news.</summary>
    public void MarkStale()
    {
        lock (_gate)
        {
            _isStale = true;
        }

        _readers.Set();
        _producer.Set();
    }

    /// <summary>Marks the messages as stale, without waking readers of events.</summary>
    public void OnMessage() => _producer.Set();

    public IDisposable Subscribe(RunNews news, RunSignal signal)
    {
        lock (_gate)
        {
            if (_subscribers++ == 0)
            {
                _isStale = true;
                views.Watch(this);
            }
        }

        return new Subscription(this, (news == RunNews.Records ? _readers : _producer).Add(signal));
    }

    private bool TryServe(long after, int maxBytes, long asked, out RunSlice slice)
    {
        RunState state;
        lock (_gate)
        {
            state = _state;
            var isCurrent = _answered > asked || (_subscribers > 0 && !_isStale);
            if (!isCurrent || after >= state.Tail)
            {
                slice = new RunSlice { Records = default, State = state };
                return isCurrent;
            }
        }

        slice = new RunSlice { Records = cache.Read(key.Run, after, state.Tail, maxBytes), State = state };
        return !slice.Records.IsEmpty;
    }

    private Task<RunStoreException?> JoinFetch(long after)
    {
        lock (_gate)
        {
            return _fetch ??= FetchAsync(after);
        }
    }

    private async Task<RunStoreException?> FetchAsync(long after)
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        long number, seen;
        lock (_gate)
        {
            number = ++_begun;
            seen = _state.Tail;
            _isStale = false;
        }

        try
        {
            var (from, before) = cache.GapAfter(key.Run, after);
            var slice = await reads.PageAsync(key, seen, from, before, PageBytes, CancellationToken.None);
            cache.Add(key.Run, slice.Records.Span);
            Advance(slice.State);
            EndFetch(number);
            return null;
        }
        catch (RunStoreException e)
        {
            EndFetch(answered: null);
            return e;
        }
    }

    private void EndFetch(long? answered)
    {
        lock (_gate)
        {
            _fetch = null;
            if (answered is { } number)
            {
                _answered = number;
            }
            else
            {
                _isStale = true;
            }
        }
    }

    private void Advance(RunState state)
    {
        bool moved, ended;
        lock (_gate)
        {
            moved = state.Tail > _state.Tail;
            ended = moved && state.Status != RunStatus.Running;
            if (moved)
            {
                _state = state;
            }
        }

        if (moved)
        {
            _readers.Set();
        }

        if (ended)
        {
            _producer.Set();
        }
    }

    private void Leave()
    {
        lock (_gate)
        {
            if (--_subscribers == 0)
            {
                views.Unwatch(this);
            }
        }
    }

    private sealed class Subscription(RunView view, IDisposable inner) : IDisposable
    {
        private int _isDisposed;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref _isDisposed, 1) == 1)
            {
                return;
            }

            inner.Dispose();
            view.Leave();
        }
    }
}
