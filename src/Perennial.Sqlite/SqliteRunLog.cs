using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>One run. While it is open there is one object for its producer and all its readers. Safe from any thread.</summary>
/// <remarks>Only this process writes the file, so the state in memory is always the state of the file.</remarks>
internal sealed class SqliteRunLog : RunLog
{
    private readonly SqliteRunStore _store;
    private readonly RunKey _key;
    private readonly OpenRun? _open;        // null if the run had ended when it was found
    private readonly RunSignalSet _readers = new();
    private readonly RunSignalSet _producer = new();
    private readonly Lock _gate = new();
    private RunState _state;

    private SqliteRunLog(SqliteRunStore store, RunKey key, RunState state, bool isOpen)
    {
        (_store, _key, _state) = (store, key, state);
        _open = isOpen ? new OpenRun(this) : null;
    }

    public override string Id => _key.Id;

    public override string Epoch => _key.Epoch;

    public override string? Dialect => _key.Dialect;

    public override RunDescription Description => _key.Description;

    /// <summary>A run that was created just now.</summary>
    public static SqliteRunLog Open(SqliteRunStore store, RunKey key) =>
        new(store, key, new RunState { Status = RunStatus.Running, Tail = 0, Oldest = 1 }, isOpen: true);

    /// <summary>An open run that a process before has left.</summary>
    public static SqliteRunLog Left(SqliteRunStore store, LeftRun run)
    {
        var log = new SqliteRunLog(store, run.Key, new RunState { Status = RunStatus.Running, Tail = run.Tail, Oldest = 1 }, isOpen: true);
        (log._open!.Tail, log._open.Bytes) = (run.Tail, run.Bytes);
        return log;
    }

    /// <summary>A run that has ended.</summary>
    public static SqliteRunLog Ended(SqliteRunStore store, EndedRun run) => new(store, run.Key, run.State, isOpen: false);

    public override ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken) => ValueTask.FromResult(State);

    public override ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
    {
        if (_open is null)
        {
            return ValueTask.FromResult(new AppendResult { Outcome = AppendOutcome.Closed });
        }

        return _store.Writes.TryAppend(_open, item, out var write, out var refusal)
            ? AwaitAsync(write, cancellationToken)
            : ValueTask.FromResult(new AppendResult { Outcome = refusal });

        static async ValueTask<AppendResult> AwaitAsync(QueuedWrite write, CancellationToken cancellationToken)
        {
            var result = await write.Task.WaitAsync(cancellationToken);
            return new AppendResult { Outcome = result.Outcome, Sequence = result.Sequence };
        }
    }

    public override async ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ending);
        return _open is null ? State.Status : (await _store.Writes.End(_open, ending).Task.WaitAsync(cancellationToken)).Status;
    }

    public override async ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        var state = State;
        if (after >= state.Tail)
        {
            return new RunSlice { Records = default, State = state };
        }

        var records = await _store.ReadAsync(_key, after, state.Tail, Math.Max(1, maxBytes), cancellationToken);
        return new RunSlice { Records = records, State = state };
    }

    public override IDisposable Subscribe(RunNews news, RunSignal signal) => (news == RunNews.Records ? _readers : _producer).Add(signal);

    public override async ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var result = await _store.ReceiveAsync(_key.Run, message, cancellationToken);
        if (result.Outcome == ReceiveOutcome.Accepted && message.Refusal is null)
        {
            _producer.Set();
        }

        return result;
    }

    public override async ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken) =>
        await _store.GetSenderAsync(_key.Run, sender, firstOpen, cancellationToken);

    public override async ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken) =>
        await _store.ReadMessagesAsync(_key.Run, after, cancellationToken);

    /// <summary>Wakes everybody who waits, to find that the store is closed.</summary>
    public void WakeAll()
    {
        _readers.Set();
        _producer.Set();
    }

    private RunState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    private void Publish(ReadOnlySpan<RunRecord> records, RunState state)
    {
        _store.Cache.Add(_key.Run, records);
        lock (_gate)
        {
            _state = state;
        }

        _readers.Set();
        if (state.Status != RunStatus.Running)
        {
            _store.OnEnded(this);
            _producer.Set();
        }
    }

    /// <summary>The run as the writer sees it.</summary>
    private sealed class OpenRun(SqliteRunLog log) : ProducedRun(log._key)
    {
        public override void Publish(ReadOnlySpan<RunRecord> records, RunState state) => log.Publish(records, state);
    }
}
