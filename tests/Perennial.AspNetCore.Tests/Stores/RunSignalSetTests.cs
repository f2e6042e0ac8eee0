using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

public class RunSignalSetTests
{
    private const int Many = 200;       // several rows of those that a thread wakes one after the other

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(3)]
    [InlineData(Many)]
    public async Task All_who_wait_are_woken(int count)
    {
        var set = new RunSignalSet();
        var waiting = Subscribe(set, count).Select(waiter => waiter.Signal.WaitAsync().AsTask()).ToArray();

        set.Set();

        await Task.WhenAll(waiting);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(3)]
    [InlineData(Many)]
    public async Task Who_does_not_wait_yet_is_woken_when_it_does(int count)
    {
        var set = new RunSignalSet();
        var waiters = Subscribe(set, count);
        var last = waiters[^1].Signal.WaitAsync();

        set.Set();

        await last;
        foreach (var (signal, _) in waiters.SkipLast(1))
        {
            await signal.WaitAsync();
        }
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(3)]
    [InlineData(Many)]
    public async Task Nobody_who_is_waiting_runs_on_the_stack_of_who_has_the_news(int count)
    {
        var set = new RunSignalSet();
        var producer = new ThreadLocal<bool>();
        var onItsStack = Subscribe(set, count).Select(async waiter =>
        {
            await waiter.Signal.WaitAsync();
            return producer.Value;
        }).ToArray();

        producer.Value = true;
        set.Set();
        producer.Value = false;

        (await Task.WhenAll(onItsStack)).ShouldAllBe(isOnIt => !isOnIt);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task One_that_takes_long_holds_up_nobody()
    {
        var set = new RunSignalSet();
        using var release = new ManualResetEventSlim();
        var waiters = Subscribe(set, Many);
        var slow = BlockAsync(waiters[1].Signal);
        var others = waiters.Where((_, n) => n != 1).Select(waiter => waiter.Signal.WaitAsync().AsTask()).ToArray();

        set.Set();

        await Task.WhenAll(others);
        slow.IsCompleted.ShouldBeFalse();
        release.Set();
        await slow;

        async Task BlockAsync(RunSignal signal)
        {
            await signal.WaitAsync();
            release.Wait(TestEnds);
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task One_that_throws_holds_up_nobody()
    {
        var set = new RunSignalSet();
        var waiters = Subscribe(set, Many);
        var failing = ThrowAsync(waiters[1].Signal);
        var others = waiters.Where((_, n) => n != 1).Select(waiter => waiter.Signal.WaitAsync().AsTask()).ToArray();

        set.Set();

        await Task.WhenAll(others);
        await Should.ThrowAsync<InvalidOperationException>(failing);

        static async Task ThrowAsync(RunSignal signal)
        {
            await signal.WaitAsync();
            throw new InvalidOperationException();
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Who_leaves_while_others_are_woken_takes_no_wake_up_along()
    {
        var set = new RunSignalSet();
        var waiters = Subscribe(set, Many);
        var (first, last) = (Many / 4, Many / 2);
        var leaving = waiters[first..last].Select(async waiter =>
        {
            await waiter.Signal.WaitAsync();
            waiter.Subscription.Dispose();
        });
        var staying = waiters[..first].Concat(waiters[last..]).Select(waiter => waiter.Signal.WaitAsync().AsTask());
        Task[] all = [.. leaving, .. staying];

        set.Set();

        await Task.WhenAll(all);
        foreach (var (_, subscription) in waiters)
        {
            subscription.Dispose();
        }

        set.IsEmpty.ShouldBeTrue();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Who_has_left_is_not_set_and_may_leave_twice()
    {
        var set = new RunSignalSet();
        var waiters = Subscribe(set, Many);
        waiters[0].Subscription.Dispose();
        waiters[0].Subscription.Dispose();
        var left = waiters[0].Signal.WaitAsync().AsTask();
        var others = waiters.Skip(1).Select(waiter => waiter.Signal.WaitAsync().AsTask()).ToArray();

        set.Set();

        await Task.WhenAll(others);
        left.IsCompleted.ShouldBeFalse();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task No_news_is_missed_however_fast_it_comes()
    {
        const int last = 20_000;
        var set = new RunSignalSet();
        var news = 0;
        var readers = Subscribe(set, Many).Select(waiter => ReadAsync(waiter.Signal)).ToArray();

        for (var n = 1; n <= last; n++)
        {
            Volatile.Write(ref news, n);
            set.Set();
        }

        await Task.WhenAll(readers);

        async Task ReadAsync(RunSignal signal)
        {
            while (Volatile.Read(ref news) < last)
            {
                await signal.WaitAsync();
            }
        }
    }

    private static List<(RunSignal Signal, IDisposable Subscription)> Subscribe(RunSignalSet set, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new RunSignal()).Select(signal => (signal, set.Add(signal)))];
}
