namespace Perennial.Testing.Tests;

public sealed class ManualTimeWaitingTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    private readonly ManualTimeProvider _clock = new();

    [Fact(Timeout = 180_000)]
    public async Task Drives_delays_and_timeouts_and_periodic_timers()
    {
        var delay = Task.Delay(Second, _clock, Wire.Cancelled);
        var wait = new TaskCompletionSource().Task.WaitAsync(2 * Second, _clock, Wire.Cancelled);
        using var timeout = new CancellationTokenSource(3 * Second, _clock);
        using var periodic = new PeriodicTimer(4 * Second, _clock);
        var tick = periodic.WaitForNextTickAsync(Wire.Cancelled);
        _clock.ActiveTimers.ShouldBe(4);

        _clock.Advance(Second);
        delay.IsCompletedSuccessfully.ShouldBeTrue();
        wait.IsCompleted.ShouldBeFalse();

        _clock.Advance(Second);
        await Should.ThrowAsync<TimeoutException>(() => wait);
        timeout.IsCancellationRequested.ShouldBeFalse();

        _clock.Advance(Second);
        timeout.IsCancellationRequested.ShouldBeTrue();
        tick.IsCompleted.ShouldBeFalse();

        _clock.Advance(Second);
        (await tick).ShouldBeTrue();
    }

    [Fact(Timeout = 180_000)]
    public async Task A_test_can_wait_until_the_code_under_test_sleeps()
    {
        var attempts = 0;
        var retrying = Task.Run(async () =>
        {
            for (var delay = Second; attempts < 4; delay *= 2)
            {
                attempts++;
                await Task.Delay(delay, _clock, Wire.Cancelled);
            }
        }, Wire.Cancelled);
        using var unrelated = _clock.CreateTimer(_ => { }, null, TimeSpan.FromDays(1), Timeout.InfiniteTimeSpan);

        foreach (var seconds in new[] { 1, 2, 4, 8 })
        {
            await _clock.WaitForTimerAsync(seconds * Second, Wire.Cancelled);
            _clock.Advance(seconds * Second);
        }
        await retrying;

        attempts.ShouldBe(4);
        var second = _clock.WaitForTimersAsync(2, Wire.Cancelled);
        second.IsCompleted.ShouldBeFalse();
        using var another = _clock.CreateTimer(_ => { }, null, Second, Timeout.InfiniteTimeSpan);
        await second;
    }

    [Fact(Timeout = 180_000)]
    public async Task Timers_may_be_set_on_many_threads_while_the_clock_is_advanced_on_others()
    {
        const int Threads = 4, PerThread = 2000;
        var fired = 0;
        var early = 0;
        using var stop = new CancellationTokenSource();
        var advancing = Enumerable.Range(0, 2).Select(_ => Task.Run(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                _clock.Advance(TimeSpan.FromMilliseconds(1));
            }
        }, Wire.Cancelled)).ToArray();

        await Task.WhenAll(Enumerable.Range(0, Threads).Select(_ => Task.Run(async () =>
        {
            for (var i = 0; i < PerThread; i++)
            {
                var before = _clock.GetTimestamp();
                await Task.Delay(TimeSpan.FromMilliseconds(1 + (i % 5)), _clock, Wire.Cancelled);
                Interlocked.Increment(ref fired);
                if (_clock.GetElapsedTime(before) < TimeSpan.FromMilliseconds(1 + (i % 5)))
                {
                    Interlocked.Increment(ref early);
                }
            }
        }, Wire.Cancelled)));
        await stop.CancelAsync();
        await Task.WhenAll(advancing);

        fired.ShouldBe(Threads * PerThread);
        early.ShouldBe(0);
        _clock.ActiveTimers.ShouldBe(0);
    }
}
