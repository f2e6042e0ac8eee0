namespace Perennial.AspNetCore.Runs;

/// <summary>Stops a run that has had no reader for a time. Safe from any thread.</summary>
internal sealed class UnreadWatch : IDisposable
{
    private readonly Lock _gate = new();
    private readonly ITimer _timer;
    private readonly TimeSpan _limit;
    private int _readers;       // readers inside the process, and one for all readers over the network

    /// <param name="limit">The time without a reader.</param>
    /// <param name="stop">Stops the run.</param>
    /// <param name="time">The clock.</param>
    public UnreadWatch(TimeSpan limit, Action stop, TimeProvider time)
    {
        _limit = limit;
        _timer = time.CreateTimer(static stop => ((Action)stop!)(), stop, limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called when the first reader over the network has come or the last has left.</summary>
    public void OnChanged(bool isRead)
    {
        lock (_gate)
        {
            _readers += isRead ? 1 : -1;
            _timer.Change(_readers > 0 ? Timeout.InfiniteTimeSpan : _limit, Timeout.InfiniteTimeSpan);
        }
    }

    /// <summary>Counts a reader inside the process until the result is disposed.</summary>
    public IDisposable Enter()
    {
        OnChanged(isRead: true);
        return new Presence(this);
    }

    public void Dispose() => _timer.Dispose();

    private sealed class Presence(UnreadWatch watch) : IDisposable
    {
        public void Dispose() => watch.OnChanged(isRead: false);
    }
}
