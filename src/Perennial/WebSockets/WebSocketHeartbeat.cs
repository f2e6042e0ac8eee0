namespace Perennial.WebSockets;

/// <summary>Sends a ping to the peer after a silence. The transport's idle watch detects that no answer arrives.</summary>
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
            // The timer is started after the field is set, because a timer that fires at once would find the field null.
            _timer = time.CreateTimer(
                static heartbeat => ((WebSocketHeartbeat)heartbeat!).PingIfSilent(),
                this,
                Timeout.InfiniteTimeSpan,
                Timeout.InfiniteTimeSpan);
            _timer.Change(options.Interval, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Records that bytes arrived, so the peer is alive.</summary>
    /// <returns>The time since the ping, if one was sent. A ping follows a silence, so the bytes are most likely its answer.</returns>
    public TimeSpan? OnBytes()
    {
        var now = _time.GetTimestamp();
        Volatile.Write(ref _heardAt, now);
        return Volatile.Read(ref _askedAt) != NotAsked && Interlocked.Exchange(ref _askedAt, NotAsked) is var since and not NotAsked
            ? _time.GetElapsedTime(since, now)
            : null;
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    private void PingIfSilent()
    {
        var left = _options.Interval - _time.GetElapsedTime(Volatile.Read(ref _heardAt));
        if (left <= TimeSpan.Zero)
        {
            // One ping at a time: while a ping cannot be sent, no other is started.
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
