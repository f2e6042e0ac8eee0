namespace Perennial.WebSockets;

/// <summary>Asks the peer for a sign of life after a silence. That none came is for the transport's idle watch to find.</summary>
internal sealed class WebSocketHeartbeat : IAsyncDisposable
{
    private const long NotAsked = long.MinValue;

    private readonly HeartbeatOptions _options;
    private readonly TimeProvider _time;
    private readonly ISocketOwner _owner;
    private readonly ITimer? _timer;
    private Task _question = Task.CompletedTask;
    private long _heardAt;
    private long _askedAt = NotAsked;

    public WebSocketHeartbeat(HeartbeatOptions options, TimeProvider time, ISocketOwner owner)
    {
        _options = options;
        _time = time;
        _owner = owner;
        _heardAt = time.GetTimestamp();
        if (options.IsOn)
        {
            // Set only once the field is: a timer that fires at once would find it empty.
            _timer = time.CreateTimer(static heartbeat => ((WebSocketHeartbeat)heartbeat!).Look(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            _timer.Change(options.Interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Bytes came: the peer lives.</summary>
    /// <returns>How long it took, where it was asked; it is asked after a silence, so that these are most likely the answer.</returns>
    public TimeSpan? OnBytes()
    {
        var now = _time.GetTimestamp();
        Volatile.Write(ref _heardAt, now);
        return Volatile.Read(ref _askedAt) != NotAsked && Interlocked.Exchange(ref _askedAt, NotAsked) is var since and not NotAsked
            ? _time.GetElapsedTime(since, now)
            : null;
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void Look()
    {
        var left = _options.Interval - _time.GetElapsedTime(Volatile.Read(ref _heardAt));
        if (left <= TimeSpan.Zero)
        {
            // One at a time: a question that cannot even leave is not to be followed by more.
            if (_question.IsCompleted)
            {
                Volatile.Write(ref _askedAt, _time.GetTimestamp());
                _question = _owner.PingAsync();
            }

            left = _options.Interval;
        }

        _timer!.Change(left, Timeout.InfiniteTimeSpan);
    }
}
