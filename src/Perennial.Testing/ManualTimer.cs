namespace Perennial.Testing;

/// <summary>A timer of a <see cref="ManualTimeProvider"/>, which owns its schedule. Thread-safe.</summary>
internal sealed class ManualTimer(ManualTimeProvider clock, TimerCallback callback, object? state) : ITimer
{
    private static readonly TimeSpan LongestTime = TimeSpan.FromMilliseconds(uint.MaxValue - 1);   // as for system timers

    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    public static IComparer<ManualTimer> ByDueTime { get; } =
        Comparer<ManualTimer>.Create(static (a, b) => (a.Due, a.Order).CompareTo((b.Due, b.Order)));

    // These four are guarded by the clock's lock.
    public TimeSpan Due { get; set; }

    public long Order { get; set; }

    public TimeSpan? Period { get; set; }

    public bool IsDisposed { get; set; }

    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        ThrowIfOutOfRange(dueTime, nameof(dueTime));
        ThrowIfOutOfRange(period, nameof(period));
        // A period of zero means once, as for system timers.
        return clock.Schedule(
            this,
            dueTime == Timeout.InfiniteTimeSpan ? null : dueTime,
            period == Timeout.InfiniteTimeSpan || period == TimeSpan.Zero ? null : period);
    }

    public void Fire()
    {
        if (_context is null)
        {
            callback(state);
        }
        else
        {
            ExecutionContext.Run(_context, new ContextCallback(callback), state);
        }
    }

    public void Dispose() => clock.Dispose(this);

    public ValueTask DisposeAsync()
    {
        Dispose();
        return ValueTask.CompletedTask;
    }

    private static void ThrowIfOutOfRange(TimeSpan time, string name)
    {
        if (time != Timeout.InfiniteTimeSpan && (time < TimeSpan.Zero || time > LongestTime))
        {
            throw new ArgumentOutOfRangeException(name, time, $"Zero to {LongestTime}, or Timeout.InfiniteTimeSpan.");
        }
    }
}
