using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Cancels a connection on which no byte arrived for too long while a read was in progress. One timer per connection; a read costs two
/// writes. The reading loop starts and ends the reads; the timer runs on any thread.
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
    /// <param name="connection">The source to cancel when the limit is reached.</param>
    /// <param name="time">The clock.</param>
    /// <param name="metrics">Counts signs of life. <see langword="null"/> does not count them.</param>
    public IdleWatch(TimeSpan limit, CancellationTokenSource connection, TimeProvider time, MetricsRecorder? metrics = null)
    {
        _metrics = metrics;
        _limit = limit;
        _connection = connection;
        _time = time;
        if (limit != Timeout.InfiniteTimeSpan)
        {
            // The timer is started after the field is set, because a timer that fires at once would find the field null.
            _timer = time.CreateTimer(
                static watch => ((IdleWatch)watch!).CheckSilence(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(limit, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Whether the limit was reached.</summary>
    public bool HasFired { get; private set; }

    /// <summary>Whether the peer proved to be alive during a read.</summary>
    public bool HasHeard { get; private set; }

    /// <summary>The longest silence.</summary>
    public TimeSpan Limit => _limit;

    /// <summary>
    /// How long the present read has waited for a byte. <see langword="null"/> if no read is in progress. Any thread may call it.
    /// </summary>
    public TimeSpan? Silence => Volatile.Read(ref _readingSince) is var since and not NotReading ? _time.GetElapsedTime(since) : null;

    /// <summary>Whether a read waits for bytes.</summary>
    public bool IsReading => Volatile.Read(ref _readingSince) != NotReading;

    /// <summary>Sets the limit that the peer announced.</summary>
    public void ChangeLimit(TimeSpan limit)
    {
        _limit = limit;
        _timer?.Change(limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Records that a read started at the given timestamp.</summary>
    public void ReadStarted(long timestamp) => Volatile.Write(ref _readingSince, timestamp);

    /// <summary>Records that bytes arrived. Silence does not count until the next read starts.</summary>
    public void ReadEnded() => Volatile.Write(ref _readingSince, NotReading);

    /// <summary>Records that the peer proved to be alive during a read. Any thread may call it.</summary>
    public void Heard()
    {
        HasHeard = true;
        _metrics?.Heard();
        var since = Volatile.Read(ref _readingSince);
        if (since != NotReading)
        {
            // If the read has ended in the meantime, its end stays recorded.
            Interlocked.CompareExchange(ref _readingSince, _time.GetTimestamp(), since);
        }
    }

    /// <summary>Records the answer to a ping, which also proves that the peer is alive. Any thread may call it.</summary>
    public void PingAnswered(TimeSpan roundTrip)
    {
        Heard();
        _metrics?.PingAnswered(roundTrip);
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void CheckSilence()
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
