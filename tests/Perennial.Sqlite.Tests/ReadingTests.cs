using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sqlite.Tests.Support;

namespace Perennial.Sqlite.Tests;

/// <summary>Readers that follow are served from memory, and those that are behind from the file.</summary>
public sealed class ReadingTests : IAsyncDisposable
{
    private const int Hang = 120_000;
    private const int Events = 300;

    private readonly StoreFile _file = new();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _file.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task Readers_at_all_places_read_a_run_that_is_larger_than_the_cache()
    {
        var store = await _file.StartAsync(configure: options => options.MaxCachedBytes = 1 << 20);
        var run = await StoreFile.CreateRunAsync(store);
        var following = run.FollowAsync();
        for (var n = 1; n <= Events; n++)
        {
            await run.AppendAsync(RunReading.Text($"{n} {new string('x', 20_000)}"), TestEnds);
        }

        var behind = Enumerable.Range(0, 8).Select(_ => run.FollowAsync()).ToArray();
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        var late = Enumerable.Range(0, 8).Select(async _ => await (await StoreFile.FindAsync(store, run.Id)).FollowAsync()).ToArray();

        foreach (var records in await Task.WhenAll([following, .. behind, .. late]))
        {
            records.Count.ShouldBe(Events + 1);
            records[..^1].Select((record, index) =>
                RunReading.TextOf(record).StartsWith($"{index + 1} ", StringComparison.Ordinal)).ShouldAllBe(isRight => isRight);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_reader_that_follows_needs_no_query()
    {
        var store = await _file.StartAsync();
        var run = await StoreFile.CreateRunAsync(store);
        await run.AppendAsync(1, 10);
        _file.Execute("DELETE FROM events");

        (await run.FollowAsync(10)).Count.ShouldBe(10);
    }

    [Fact(Timeout = Hang)]
    public async Task A_reader_of_a_run_that_was_forgotten_is_told_so()
    {
        var store = await _file.StartAsync(new PerennialServerOptions { FinishedRunRetention = TimeSpan.FromMinutes(1) });
        var run = await StoreFile.CreateRunAsync(store);
        await run.AppendAsync(1, 10);
        await run.CloseAsync(RunEnd.Completed, TestEnds);
        await store.DisposeAsync();
        var next = await _file.StartAsync();
        var found = await StoreFile.FindAsync(next, run.Id);
        _file.Execute("DELETE FROM events");

        (await Should.ThrowAsync<RunStoreException>(async () => await found.ReadAsync(0, 100, TestEnds)))
            .Message.ShouldBe("The run is no longer kept.");
    }
}
