namespace Perennial.AspNetCore.Stores;

/// <summary>One run in memory. Readers share its records without copies. The last record is the end.</summary>
/// <remarks>Safe from any thread. No method waits, and published records never change.</remarks>
internal sealed class MemoryRunLog(NewRun run, MemoryRunStore store, PerennialServerOptions options) : RunLog
{
    private readonly Lock _gate = new();
    private readonly RunSignalSet _readers = new();
    private readonly RunSignalSet _producer = new();
    private readonly MemoryInbox _inbox = new(options.MaxPendingMessageBytes);      // under the lock
    private RunRecord[] _records = new RunRecord[8];    // the first _count are published and never change, so readers share the array
    private int _count;
    private long _bytes;            // of events, as MaxBytesPerRun counts them
    private RunStatus _status = RunStatus.Running;

    public override string Id => run.Id;

    public override string Epoch => run.Epoch;

    public override string? Dialect => run.Dialect;

    public override RunDescription Description => run.Description;

    /// <summary>The bytes of the run in the store, in addition to its events.</summary>
    public long Overhead { get; } = 1024 + run.Description.Size;

    /// <summary>Its place among the runs that are listed, in the order of their creation. Set by <see cref="MemoryListings"/>.</summary>
    public long Place { get; set; }

    /// <summary>How long the run is kept after its end.</summary>
    public TimeSpan Retention { get; } = run.Retention ?? options.FinishedRunRetention;

    public override ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(StateLocked);
        }
    }

    public override ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
    {
        AppendResult result;
        lock (_gate)
        {
            result = AppendLocked(item);
        }

        if (result.Outcome == AppendOutcome.Appended)
        {
            _readers.Set();
        }

        return ValueTask.FromResult(result);
    }

    public override ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
    {
        long bytes;
        lock (_gate)
        {
            if (_status != RunStatus.Running)
            {
                return ValueTask.FromResult(_status);
            }

            AddLocked(ending.ToEvent());
            _status = ending.Status;
            _inbox.Clear();
            bytes = _bytes;
        }

        store.OnEnded(this, bytes + Overhead);
        _readers.Set();
        _producer.Set();
        return ValueTask.FromResult(ending.Status);
    }

    public override ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        lock (_gate)
        {
            var start = (int)Math.Min(after, _count);
            var end = start;
            for (var bytes = 0L; end < _count && bytes < maxBytes; end++)
            {
                bytes += _records[end].Content.Data.Length + RunEvent.Overhead;
            }

            return ValueTask.FromResult(new RunSlice { Records = _records.AsMemory(start..end), State = StateLocked });
        }
    }

    public override IDisposable Subscribe(RunNews news, RunSignal signal) => (news == RunNews.Records ? _readers : _producer).Add(signal);

    public override ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken)
    {
        if (!run.TakesMessages)
        {
            return ValueTask.FromResult(new ReceiveResult { Outcome = ReceiveOutcome.NotTaken });
        }

        ReceiveResult result;
        lock (_gate)
        {
            result = _inbox.Receive(message, hasEnded: _status != RunStatus.Running);
        }

        if (result.Outcome == ReceiveOutcome.Accepted)
        {
            _producer.Set();
        }

        return ValueTask.FromResult(result);
    }

    public override ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_inbox.StateOf(sender, firstOpen));
        }
    }

    public override ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return ValueTask.FromResult(_inbox.ReadAfter(after));
        }
    }

    private RunState StateLocked => new RunState { Status = _status, Tail = _count, Oldest = 1 };

    private AppendResult AppendLocked(RunEvent item)
    {
        if (_status != RunStatus.Running)
        {
            return new AppendResult { Outcome = AppendOutcome.Closed };
        }

        if (_bytes + item.Size > options.MaxBytesPerRun)
        {
            return new AppendResult { Outcome = AppendOutcome.TooLarge };
        }

        if (!store.TryReserve(item.Size))
        {
            return new AppendResult { Outcome = AppendOutcome.StoreFull };
        }

        _bytes += item.Size;
        AddLocked(item);
        return new AppendResult { Outcome = AppendOutcome.Appended, Sequence = _count };
    }

    private void AddLocked(RunEvent item)
    {
        if (_count == _records.Length)
        {
            Array.Resize(ref _records, _count * 2);
        }

        _records[_count] = new RunRecord(run.Epoch, _count + 1, item);
        _count++;
    }
}
