namespace Perennial.Testing.Tests;

public sealed class ManualTimeProviderTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _clock = new();
    private readonly List<string> _fired = [];

    [Fact]
    public void Stands_still_until_advanced()
    {
        var start = new DateTimeOffset(2030, 5, 6, 7, 8, 9, TimeSpan.FromHours(2));
        var clock = new ManualTimeProvider(start);
        var timestamp = clock.GetTimestamp();

        clock.GetUtcNow().ShouldBe(start);
        clock.GetUtcNow().Offset.ShouldBe(TimeSpan.Zero);

        clock.Advance(TimeSpan.FromMilliseconds(1.5));
        clock.GetUtcNow().ShouldBe(start + TimeSpan.FromMilliseconds(1.5));
        clock.GetElapsedTime(timestamp).ShouldBe(TimeSpan.FromMilliseconds(1.5));
        new ManualTimeProvider().GetUtcNow().ShouldBe(new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero));
        clock.GetLocalNow().Offset.ShouldBe(TimeSpan.Zero);
        Should.Throw<ArgumentOutOfRangeException>(() => clock.Advance(TimeSpan.FromTicks(-1)));
    }

    [Fact]
    public void Timers_fire_in_the_order_they_are_due_and_see_the_time_they_were_due()
    {
        Set("c", 3);
        Set("a", 1);
        Set("b", 2);
        Set("b, set later", 2);
        Set("never", 5);

        _clock.Advance(4 * Second);

        _fired.ShouldBe(["a at 1", "b at 2", "b, set later at 2", "c at 3"]);
        _clock.GetTimestamp().ShouldBe(4 * TimeSpan.TicksPerSecond);
        _clock.ActiveTimers.ShouldBe(1);
    }

    [Fact]
    public void A_timer_set_by_a_callback_fires_in_the_same_advance_when_it_is_due_by_then()
    {
        Set("first", 1, () => Set("second", 2, () => Set("third", 2)));

        _clock.Advance(4 * Second);
        _fired.ShouldBe(["first at 1", "second at 3"]);

        _clock.Advance(1 * Second);
        _fired[^1].ShouldBe("third at 5");
    }

    [Fact]
    public void Periodic_timers_fire_once_per_period_among_the_others()
    {
        using var periodic = _clock.CreateTimer(_ => Note("tick"), null, 1 * Second, 2 * Second);
        Set("once", 4);

        _clock.Advance(6 * Second);
        _fired.ShouldBe(["tick at 1", "tick at 3", "once at 4", "tick at 5"]);

        periodic.Change(10 * Second, Timeout.InfiniteTimeSpan).ShouldBeTrue();
        _clock.Advance(100 * Second);
        _fired[4..].ShouldBe(["tick at 16"]);
    }

    [Fact]
    public void Callbacks_may_stop_and_dispose_and_set_anew_their_own_timer()
    {
        ITimer stopped = null!, disposed = null!, setAnew = null!;
        stopped = _clock.CreateTimer(
            _ => { Note("stopped"); stopped.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan); }, null, Second, Second);
        disposed = _clock.CreateTimer(
            _ => { Note("disposed"); disposed.Dispose(); }, null, Second, Second);
        setAnew = _clock.CreateTimer(
            _ => { Note("set anew"); setAnew.Change(3 * Second, Timeout.InfiniteTimeSpan); }, null, Second, Second);

        _clock.Advance(5 * Second);

        _fired.ShouldBe(["stopped at 1", "disposed at 1", "set anew at 1", "set anew at 4"]);
        disposed.Change(Second, Second).ShouldBeFalse();
        _clock.ActiveTimers.ShouldBe(1);
        stopped.Dispose();
        setAnew.Dispose();
        _clock.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public void A_callback_may_advance_the_clock()
    {
        Set("outer", 1, () => _clock.Advance(5 * Second));
        Set("inner", 3);

        _clock.Advance(2 * Second);

        _fired.ShouldBe(["outer at 1", "inner at 3"]);
        _clock.GetTimestamp().ShouldBe(6 * TimeSpan.TicksPerSecond);
    }

    [Fact]
    public void Nothing_fires_before_an_advance_not_even_what_is_due_at_once()
    {
        Set("at once", 0);
        _fired.ShouldBeEmpty();

        _clock.Advance(TimeSpan.Zero);
        _fired.ShouldBe(["at once at 0"]);
    }

    [Fact]
    public void Moves_to_the_next_timer()
    {
        Set("a", 3);
        Set("b", 3);
        Set("c", 7);
        _clock.NextDue.ShouldBe(3 * Second);

        _clock.AdvanceToNextTimer().ShouldBe(3 * Second);
        _fired.ShouldBe(["a at 3", "b at 3"]);
        _clock.NextDue.ShouldBe(4 * Second);

        _clock.AdvanceToNextTimer().ShouldBe(4 * Second);
        _clock.NextDue.ShouldBeNull();
        Should.Throw<InvalidOperationException>(() => _clock.AdvanceToNextTimer());
    }

    [Fact]
    public void What_a_callback_throws_reaches_the_test_and_the_clock_stays_usable()
    {
        Set("bad", 1, () => throw new InvalidTimeZoneException());
        Set("good", 2);

        Should.Throw<InvalidTimeZoneException>(() => _clock.Advance(5 * Second));
        _clock.GetTimestamp().ShouldBe(TimeSpan.TicksPerSecond);

        _clock.Advance(1 * Second);
        _fired.ShouldBe(["bad at 1", "good at 2"]);
    }

    [Fact]
    public void Callbacks_run_in_the_execution_context_that_set_them()
    {
        var local = new AsyncLocal<string> { Value = "setter" };
        string? seen = null;
        using var timer = _clock.CreateTimer(_ => seen = local.Value, null, Second, Timeout.InfiniteTimeSpan);
        local.Value = "advancer";

        _clock.Advance(Second);

        seen.ShouldBe("setter");
    }

    [Fact]
    public void Times_a_system_timer_refuses_are_refused()
    {
        Should.Throw<ArgumentOutOfRangeException>(() => _clock.CreateTimer(_ => { }, null, TimeSpan.FromSeconds(-2), Second));
        Should.Throw<ArgumentOutOfRangeException>(() => _clock.CreateTimer(_ => { }, null, Second, TimeSpan.FromDays(50)));
        _clock.ActiveTimers.ShouldBe(0);
    }

    private void Set(string name, int seconds, Action? then = null) => _clock.CreateTimer(
        _ =>
        {
            Note(name);
            then?.Invoke();
        },
        null,
        seconds * Second,
        Timeout.InfiniteTimeSpan);

    private void Note(string name) => _fired.Add($"{name} at {_clock.GetTimestamp() / TimeSpan.TicksPerSecond}");
}
