using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Ends a connection on which no byte arrived for too long while somebody was reading. One timer a connection; a read costs two
/// writes. Start and stop come from the reading loop, the timer from anywhere.
/// </summary>
internal sealed class IdleWatch : IAsyncDisposable
{
    private const long NotReading = long.MaxValue;

    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _connection;
    private readonly MetricsRecorder? _metrics;
    private readonly ITimer? _timer;
    private TimeSpan _limit;                // written by the reading loop
    private long _readingSince = NotReading;

    /// <param name="limit">The longest silence, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="connection">Cancelled when the limit is reached.</param>
    /// <param name="time">The clock.</param>
    /// <param name="metrics">Told of the signs of life, where somebody counts them.</param>
    public IdleWatch(TimeSpan limit, CancellationTokenSource connection, TimeProvider time, MetricsRecorder? metrics = null)
    {
        _metrics = metrics;
        _limit = limit;
        _connection = connection;
        _time = time;
        if (limit != Timeout.InfiniteTimeSpan)
        {
            // Set only once the field is: a timer that fires at once would find it empty.
            _timer = time.CreateTimer(static watch => ((IdleWatch)watch!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(limit, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Whether the limit was reached.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Whether the peer gave a sign of life in the middle of a read.</summary>
    public bool HasHeard { get; private set; }

    /// <summary>The longest silence.</summary>
    public TimeSpan Limit => _limit;

    /// <summary>How long the present read has waited for a byte; <see langword="null"/> while there is none. From anywhere.</summary>
    public TimeSpan? Silence => Volatile.Read(ref _readingSince) is var since and not NotReading ? _time.GetElapsedTime(since) : null;

    /// <summary>Whether a read waits for bytes.</summary>
    public bool IsReading => Volatile.Read(ref _readingSince) != NotReading;

    /// <summary>The peer itself has said how long it may be silent.</summary>
    public void ChangeLimit(TimeSpan limit)
    {
        _limit = limit;
        _timer?.Change(limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>A read begins at the given timestamp.</summary>
    public void ReadStarted(long timestamp) => Volatile.Write(ref _readingSince, timestamp);

    /// <summary>Bytes arrived; until the next read begins, silence is ours.</summary>
    public void ReadEnded() => Volatile.Write(ref _readingSince, NotReading);

    /// <summary>The peer gave a sign of life in the middle of a read. From anywhere.</summary>
    public void Heard()
    {
        HasHeard = true;
        _metrics?.Heard();
        var since = Volatile.Read(ref _readingSince);
        if (since != NotReading)
        {
            // Where the read has ended meanwhile, its end stands.
            Interlocked.CompareExchange(ref _readingSince, _time.GetTimestamp(), since);
        }
    }

    /// <summary>The peer answered a ping, which is a sign of life too. From anywhere.</summary>
    public void PingAnswered(TimeSpan roundTrip)
    {
        Heard();
        _metrics?.PingAnswered(roundTrip);
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Look()
    {
        var since = Volatile.Read(ref _readingSince);
        var left = since == NotReading ? _limit : _limit - _time.GetElapsedTime(since);
        if (left <= TimeSpan.Zero)
        {
            HasFired = true;
            _connection.CancelQuietly();
            return;
        }

        _timer!.Change(left, Timeout.InfiniteTimeSpan);
    }
}
