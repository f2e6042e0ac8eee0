using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Stores;

namespace Perennial.AspNetCore.Tests;

/// <summary>Wrapped sequences over a store that takes a while to record.</summary>
public sealed class WriteAheadTests : IDisposable
{
    private readonly MemoryStores _stores = new();
    private int _asked;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public void Dispose() => _stores.Dispose();

    [Fact(Timeout = RunServer.Hang)]
    public async Task Items_are_written_ahead_up_to_a_limit_and_all_recorded_in_order_before_the_end()
    {
        using var store = new SlowStore(_stores.Open(new()));
        await using var server = await RunServer.StartAsync(store: store);
        var run = await server.Runs.StartAsync(Items(Enumerable.Range(1, 1000)), TestJson.Default.Int32);

        await UntilAsync(() => store.Calls == WriteAhead.MostEvents && _asked == WriteAhead.MostEvents + 1);
        store.Let(1);
        await UntilAsync(() => store.Calls == WriteAhead.MostEvents + 1);
        store.Let(998);
        await UntilAsync(() => _asked == 1000);
        run.Completion.IsCompleted.ShouldBeFalse();
        (await run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running, "the last item is not recorded");
        store.Let(1);

        (await run.Completion).ShouldBe(RunStatus.Completed);
        (await NumbersAsync(run)).ShouldBe(Enumerable.Range(1, 1000));
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task An_item_that_cannot_be_recorded_fails_the_run_and_no_later_one_is_asked_for()
    {
        using var store = new SlowStore(_stores.Open(new()));
        await using var server = await RunServer.StartAsync(store: store);
        var run = await server.Runs.StartAsync(Items([1, 2, -1, .. Enumerable.Range(4, 1000)]), TestJson.Default.Int32);
        await UntilAsync(() => store.Calls == WriteAhead.MostEvents);

        store.Let(2000);

        (await run.Completion).ShouldBe(RunStatus.Failed);
        (await NumbersAsync(run)).ShouldBe([1, 2]);
        _asked.ShouldBeLessThan(1000);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_sequence_that_throws_fails_the_run_after_what_it_had_said()
    {
        using var store = new SlowStore(_stores.Open(new()));
        await using var server = await RunServer.StartAsync(store: store);
        var run = await server.Runs.StartAsync(Items([1, 2, 3], throws: true), TestJson.Default.Int32);
        store.Let(3);

        (await run.Completion).ShouldBe(RunStatus.Failed);
        (await NumbersAsync(run)).ShouldBe([1, 2, 3]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_store_whose_queue_is_full_holds_the_run_back_and_does_not_fail_it()
    {
        using var store = new SlowStore(_stores.Open(new())) { Decide = static call => call == 3 ? AppendOutcome.StoreFull : null };
        await using var server = await RunServer.StartAsync(store: store);
        var run = await server.Runs.StartAsync(Items([1, 2, 3, 4]), TestJson.Default.Int32, new RunOptions { MaxBytes = 4 * 65 });
        await UntilAsync(() => store.Calls == 3);

        store.Let(4);

        (await run.Completion).ShouldBe(RunStatus.Completed);
        (await NumbersAsync(run)).ShouldBe([1, 2, 3, 4]);
    }

    private static async Task UntilAsync(Func<bool> isSo)
    {
        while (!isSo())
        {
            TestEnds.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static async Task<IEnumerable<int>> NumbersAsync(StreamRun run)
    {
        var records = (await run.Events.ReadAsync(0, int.MaxValue, TestEnds)).Records;
        return records.ToArray()[..^1].Select(record =>
            int.Parse(System.Text.Encoding.UTF8.GetString(record.Content.Data.Span), System.Globalization.CultureInfo.InvariantCulture));
    }

    private async IAsyncEnumerable<int> Items(IEnumerable<int> items, bool throws = false)
    {
        await Task.Yield();
        foreach (var item in items)
        {
            Interlocked.Increment(ref _asked);
            yield return item;
        }

        if (throws)
        {
            throw new InvalidDataException("The source is broken.");
        }
    }
}
