namespace Perennial.Testing;

/// <summary>
/// A clock that moves only when a test says so. Timers made from it fire during <see cref="Advance"/>, in the order they are due, on the
/// advancing thread; while a callback runs, the clock shows the time it was due. It drives <c>Task.Delay</c>, <c>WaitAsync</c>,
/// <see cref="PeriodicTimer"/> and <see cref="CancellationTokenSource"/> wherever they are given a <see cref="TimeProvider"/>.
/// All members are thread-safe; threads that advance at the same time take turns.
/// </summary>
/// <example>
/// <code>
/// var clock = new ManualTimeProvider();
/// var client = new Client(clock);                             // waits one second before it tries again
/// await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1));     // it sleeps now
/// clock.Advance(TimeSpan.FromSeconds(1));                     // it wakes up
/// </code>
/// </example>
public sealed class ManualTimeProvider : TimeProvider
{
    private static readonly DateTimeOffset DefaultStart = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _advancing = new();   // held while callbacks run; protects nothing but their order
    private readonly Lock _gate = new();        // guards the clock and every timer; never held while callbacks run
    private readonly SortedSet<ManualTimer> _scheduled = new(ManualTimer.ByDueTime);
    private readonly AsyncCondition _scheduleCondition = new();
    private readonly DateTimeOffset _start;
    private TimeSpan _elapsed;
    private long _schedulings;                  // ties between timers due at the same time go to the one set first

    /// <summary>Creates a clock that shows midnight of 1 January 2000, UTC.</summary>
    public ManualTimeProvider()
        : this(DefaultStart)
    {
    }

    /// <summary>Creates a clock that shows <paramref name="start"/>.</summary>
    public ManualTimeProvider(DateTimeOffset start) => _start = start;

    /// <summary>Ticks of <see cref="TimeSpan"/>: ten million per second.</summary>
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    /// <summary>UTC, so that a test gives the same results everywhere.</summary>
    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>How many timers are going to fire: those that are set, and neither spent nor disposed.</summary>
    public int ActiveTimers
    {
        get
        {
            lock (_gate)
            {
                return _scheduled.Count;
            }
        }
    }

    /// <summary>How long until the next timer fires; null if there is none.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (_gate)
            {
                return _scheduled.Min is { } next ? next.Due - _elapsed : null;
            }
        }
    }

    /// <inheritdoc/>
    public override DateTimeOffset GetUtcNow() => _start.ToUniversalTime() + Elapsed;

    /// <summary>The ticks the clock has been advanced by.</summary>
    public override long GetTimestamp() => Elapsed.Ticks;

    private TimeSpan Elapsed
    {
        get
        {
            lock (_gate)
            {
                return _elapsed;
            }
        }
    }

    /// <summary>
    /// Creates a timer that fires during <see cref="Advance"/>. One that is due in zero time fires at the next advance, even by zero.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative and not <see cref="Timeout.InfiniteTimeSpan"/>.</exception>
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        ArgumentNullException.ThrowIfNull(callback);
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>
    /// Moves the clock forward and returns when every timer due by then has fired, those included that were set meanwhile. What a
    /// callback throws is thrown from here, with the clock where it stood. A callback may itself advance the clock.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="by"/> is negative.</exception>
    public void Advance(TimeSpan by)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        lock (_advancing)
        {
            var target = Elapsed + by;
            while (TakeNextDue(target) is { } timer)
            {
                _scheduleCondition.Changed();
                timer.Fire();
            }
            lock (_gate)
            {
                _elapsed = Max(_elapsed, target);
            }
        }
        _scheduleCondition.Changed();
    }

    /// <summary>Moves the clock to the next timer, fires all that are due then, and returns by how much it moved.</summary>
    /// <exception cref="InvalidOperationException">No timer is active.</exception>
    public TimeSpan AdvanceToNextTimer()
    {
        lock (_advancing)
        {
            var by = NextDue ?? throw new InvalidOperationException("No timer is active. Wait for one with WaitForTimersAsync.");
            Advance(by);
            return by;
        }
    }

    /// <summary>
    /// Completes when at least <paramref name="count"/> timers are active, which is when the code under test waits for them.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForTimersAsync(int count = 1, CancellationToken cancellationToken = default) =>
        _scheduleCondition.WaitAsync(() => ActiveTimers >= count, cancellationToken);

    /// <summary>
    /// Completes when a timer is active that fires in exactly <paramref name="dueIn"/>: how to tell a wait of interest from other timers.
    /// </summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public Task WaitForTimerAsync(TimeSpan dueIn, CancellationToken cancellationToken = default)
    {
        return _scheduleCondition.WaitAsync(IsAnyDue, cancellationToken);

        bool IsAnyDue()
        {
            lock (_gate)
            {
                return _scheduled.Any(timer => timer.Due - _elapsed == dueIn);
            }
        }
    }

    /// <summary>Sets a timer anew, to fire in <paramref name="dueIn"/> or, with null, not at all. False if it has been disposed.</summary>
    internal bool Schedule(ManualTimer timer, TimeSpan? dueIn, TimeSpan? period)
    {
        lock (_gate)
        {
            if (timer.IsDisposed)
            {
                return false;
            }

            _scheduled.Remove(timer);
            timer.Period = period;
            if (dueIn is { } delay)
            {
                AddLocked(timer, _elapsed + delay);
            }
        }
        _scheduleCondition.Changed();
        return true;
    }

    internal void Dispose(ManualTimer timer)
    {
        lock (_gate)
        {
            timer.IsDisposed = true;
            _scheduled.Remove(timer);
        }
        _scheduleCondition.Changed();
    }

    private ManualTimer? TakeNextDue(TimeSpan target)
    {
        lock (_gate)
        {
            if (_scheduled.Min is not { } timer || timer.Due > target)
            {
                return null;
            }

            _scheduled.Remove(timer);
            _elapsed = Max(_elapsed, timer.Due);
            if (timer.Period is { } period)
            {
                AddLocked(timer, timer.Due + period);
            }

            return timer;
        }
    }

    private void AddLocked(ManualTimer timer, TimeSpan due)
    {
        timer.Due = due;
        timer.Order = _schedulings++;
        _scheduled.Add(timer);
    }

    private static TimeSpan Max(TimeSpan a, TimeSpan b) => a > b ? a : b;
}
