namespace Perennial.AspNetCore.Runs;

/// <summary>Stops a run that has had no reader for a time. Safe from any thread.</summary>
internal sealed class UnreadWatch : IDisposable
{
    private readonly ITimer _timer;
    private readonly TimeSpan _limit;

    /// <param name="limit">The time without a reader.</param>
    /// <param name="stop">Stops the run.</param>
    /// <param name="time">The clock.</param>
    public UnreadWatch(TimeSpan limit, Action stop, TimeProvider time)
    {
        _limit = limit;
        _timer = time.CreateTimer(static stop => ((Action)stop!)(), stop, limit, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Called when the first reader has come or the last has left.</summary>
    public void OnChanged(bool isRead) => _timer.Change(isRead ? Timeout.InfiniteTimeSpan : _limit, Timeout.InfiniteTimeSpan);

    public void Dispose() => _timer.Dispose();
}
