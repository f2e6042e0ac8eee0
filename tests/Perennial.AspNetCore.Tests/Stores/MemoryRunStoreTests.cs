using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Testing;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>The store in memory shows what every store must show.</summary>
public sealed class MemoryRunStoreTests
{
    public static TheoryData<string> Behaviors => [.. RunStoreBehaviors.All.Select(static behavior => behavior.Name)];

    [Theory]
    [MemberData(nameof(Behaviors))]
    public async Task It_shows(string behavior)
    {
        await using var harness = new MemoryStoreHarness();
        await RunStoreBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken);
    }
}

public sealed class MemoryRunStoreLimitTests : IDisposable
{
    private static readonly RunEvent Item = new RunEvent { Data = new byte[1000], Kind = RunDataKind.Binary };

    private readonly MemoryStores _stores = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public void Dispose() => _stores.Dispose();

    [Fact]
    public async Task When_memory_is_short_the_runs_that_ended_first_go()
    {
        var store = _stores.Open(new() { MaxBytesInMemory = 10_000 });
        var (first, second, open) = (await FilledAsync(store, 2), await FilledAsync(store, 2), await FilledAsync(store, 0));
        await first.CloseAsync(RunEnd.Completed, TestEnds);
        await second.CloseAsync(RunEnd.Completed, TestEnds);

        for (var n = 0; n < 3; n++)
        {
            (await open.AppendAsync(Item, TestEnds)).Outcome.ShouldBe(AppendOutcome.Appended);
        }

        (await store.FindAsync(first.Id, TestEnds)).ShouldBeNull();
        (await store.FindAsync(second.Id, TestEnds)).ShouldNotBeNull();
        (await first.ReadAsync(0, int.MaxValue, TestEnds)).Records.Length.ShouldBe(3, "who reads it still gets everything");
    }

    [Fact]
    public async Task When_all_runs_are_open_and_memory_is_full_nothing_more_is_taken()
    {
        var store = _stores.Open(new() { MaxBytesInMemory = 10_000 });
        var run = await FilledAsync(store, 8);

        (await run.AppendAsync(Item, TestEnds)).Outcome.ShouldBe(AppendOutcome.StoreFull);
        await Should.ThrowAsync<RunStoreException>(async () => await CreateAsync(store));

        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Completed);
        (await FilledAsync(store, 8)).ShouldNotBeNull();
    }

    [Fact]
    public async Task Runs_are_forgotten_by_the_clock_each_in_its_time()
    {
        var clock = new ManualTimeProvider();
        var store = _stores.Open(new() { FinishedRunRetention = TimeSpan.FromMinutes(5) }, clock);
        var (first, second) = (await FilledAsync(store, 1), await FilledAsync(store, 1));
        await first.CloseAsync(RunEnd.Completed, TestEnds);
        clock.Advance(TimeSpan.FromMinutes(3));
        await second.CloseAsync(RunEnd.Completed, TestEnds);

        await HeldShouldBe(TimeSpan.FromSeconds(119), true, true);
        await HeldShouldBe(TimeSpan.FromSeconds(1), false, true);
        await HeldShouldBe(TimeSpan.FromSeconds(179), false, true);
        await HeldShouldBe(TimeSpan.FromSeconds(1), false, false);

        async Task HeldShouldBe(TimeSpan after, params bool[] held)
        {
            clock.Advance(after);
            (await store.FindAsync(first.Id, TestEnds) is not null).ShouldBe(held[0]);
            (await store.FindAsync(second.Id, TestEnds) is not null).ShouldBe(held[1]);
        }
    }

    [Fact]
    public async Task A_run_of_a_shorter_time_goes_before_those_that_ended_earlier()
    {
        var clock = new ManualTimeProvider();
        var store = _stores.Open(new() { FinishedRunRetention = TimeSpan.FromMinutes(5) }, clock);
        var usual = await FilledAsync(store, 1);
        var brief = await CreateAsync(store, TimeSpan.FromMinutes(1));
        await usual.CloseAsync(RunEnd.Completed, TestEnds);
        await brief.CloseAsync(RunEnd.Completed, TestEnds);

        clock.Advance(TimeSpan.FromSeconds(59));
        (await store.FindAsync(brief.Id, TestEnds)).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync(brief.Id, TestEnds)).ShouldBeNull();
        clock.Advance(TimeSpan.FromSeconds(239));
        (await store.FindAsync(usual.Id, TestEnds)).ShouldNotBeNull();
        clock.Advance(TimeSpan.FromSeconds(1));
        (await store.FindAsync(usual.Id, TestEnds)).ShouldBeNull();
    }

    [Fact]
    public async Task Reading_what_is_there_completes_at_once_and_allocates_nothing()
    {
        var run = await FilledAsync(_stores.Open(new()), 100);
        Read(run);

        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var n = 0; n < 1000; n++)
        {
            Read(run);
        }

        (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBe(0);

        static void Read(RunLog run)
        {
            var reading = run.ReadAsync(50, 64 * 1024, CancellationToken.None);
            if (!reading.IsCompletedSuccessfully || reading.Result.Records.Length != 50)
            {
                throw new InvalidOperationException("The reading was not there at once.");
            }
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_signal_set_before_or_during_a_wait_ends_it_once()
    {
        var signal = new RunSignal();
        signal.Set();
        signal.Set();
        signal.WaitAsync().IsCompletedSuccessfully.ShouldBeTrue();

        for (var n = 0; n < 1000; n++)
        {
            var wait = signal.WaitAsync();
            wait.IsCompleted.ShouldBeFalse();
            signal.Set();
            await wait;
        }
    }

    private static async Task<RunLog> CreateAsync(RunStore store, TimeSpan? retention = null) =>
        await store.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Retention = retention }, TestEnds);

    private static async Task<RunLog> FilledAsync(RunStore store, int events)
    {
        var run = await CreateAsync(store);
        for (var n = 0; n < events; n++)
        {
            (await run.AppendAsync(Item, TestEnds)).Outcome.ShouldBe(AppendOutcome.Appended);
        }

        return run;
    }
}

/// <summary>The stores of one test.</summary>
internal sealed class MemoryStores : IDisposable
{
    private readonly List<MemoryRunStore> _stores = [];

    public MemoryRunStore Open(PerennialServerOptions options, TimeProvider? time = null)
    {
        var store = new MemoryRunStore(Options.Create(options), time ?? TimeProvider.System);
        _stores.Add(store);
        return store;
    }

    public void Dispose() => _stores.ForEach(store => store.Dispose());
}
