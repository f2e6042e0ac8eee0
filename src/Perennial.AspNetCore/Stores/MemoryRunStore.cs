using System.Collections.Concurrent;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Stores;

/// <summary>
/// Runs in the memory of this process, bounded by bytes and, after their end, by age. They are lost when the process ends.
/// </summary>
/// <remarks>
/// Safe from any thread. A reader of a run that is forgotten meanwhile still gets all records. When memory is short, finished runs are
/// forgotten early, those with the least time left first.
/// </remarks>
internal sealed class MemoryRunStore : RunStore, IDisposable
{
    private readonly ConcurrentDictionary<string, MemoryRunLog> _logs = new(StringComparer.Ordinal);
    private readonly PerennialServerOptions _options;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly MemoryStarts _starts;
    private readonly MemoryListings _listings = new();
    private readonly Lock _gate = new();
    private readonly PriorityQueue<EndedRun, TimeSpan> _ended = new();     // by the time at which they are forgotten, on our clock
    private readonly long _start;
    private long _bytes;

    public MemoryRunStore(IOptions<PerennialServerOptions> options, TimeProvider time)
    {
        _options = options.Value;
        _time = time;
        _starts = new MemoryStarts(_options.Starts, time);
        _start = time.GetTimestamp();
        _timer = time.CreateTimer(
            static store => ((MemoryRunStore)store!).ForgetDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public override ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(run);
        var log = new MemoryRunLog(run, this, _options);
        if (!TryReserve(log.Overhead))
        {
            throw new RunStoreException("The runs in memory have reached the limit MaxBytesInMemory.");
        }

        try
        {
            if (!_logs.TryAdd(run.Id, log))
            {
                throw new InvalidOperationException("A run with this id exists.");
            }

            if (run.Start is not null)
            {
                Record(run.Start, run.Id);
            }

            _listings.Add(log);
        }
        catch
        {
            Interlocked.Add(ref _bytes, -log.Overhead);
            throw;
        }

        return ValueTask.FromResult<RunLog>(log);
    }

    public override ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_starts.Claim(key));

    public override ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken)
    {
        _starts.Release(key);
        return ValueTask.CompletedTask;
    }

    public override ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken) =>
        ValueTask.FromResult<RunLog?>(_logs.GetValueOrDefault(id));

    public override ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_listings.FindByOwner(owner, count, before));

    public override ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        ValueTask.FromResult(_listings.FindByKey(key));

    /// <summary>Takes room for a record, if necessary from runs that have ended. Returns false if there is none.</summary>
    public bool TryReserve(long bytes)
    {
        while (Interlocked.Add(ref _bytes, bytes) > _options.MaxBytesInMemory)
        {
            Interlocked.Add(ref _bytes, -bytes);
            if (!TryForgetNext())
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Called when a run has ended, to forget it after its retention.</summary>
    public void OnEnded(MemoryRunLog log, long bytes)
    {
        _listings.OnEnded(log);
        lock (_gate)
        {
            var run = new EndedRun(log.Id, bytes);
            _ended.Enqueue(run, _time.GetElapsedTime(_start) + log.Retention);
            if (_ended.Peek() == run)
            {
                _timer.Change(log.Retention, Timeout.InfiniteTimeSpan);
            }
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Record(StartKey key, string runId)
    {
        try
        {
            _starts.Record(key, runId);
        }
        catch
        {
            _logs.TryRemove(runId, out _);
            throw;
        }
    }

    private bool TryForgetNext()
    {
        lock (_gate)
        {
            if (_ended.Count == 0)
            {
                return false;
            }

            ForgetLocked();
            return true;
        }
    }

    private void ForgetDue()
    {
        lock (_gate)
        {
            while (_ended.TryPeek(out _, out var due))
            {
                var rest = due - _time.GetElapsedTime(_start);
                if (rest > TimeSpan.Zero)
                {
                    _timer.Change(rest, Timeout.InfiniteTimeSpan);
                    return;
                }

                ForgetLocked();
            }
        }
    }

    private void ForgetLocked()
    {
        var run = _ended.Dequeue();
        _listings.Remove(_logs[run.Id]);
        _logs.TryRemove(run.Id, out _);
        Interlocked.Add(ref _bytes, -run.Bytes);
    }

    private readonly record struct EndedRun(string Id, long Bytes);
}
