using System.Text;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>What every store promises about records. Uses nothing but the public contract, so that each store's tests can inherit it.</summary>
public abstract class RunStoreContract
{
    private const int Hang = 180_000;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    /// <summary>Opens a store with these options. Whoever inherits disposes it after the test.</summary>
    protected abstract Task<IRunStore> OpenAsync(PerennialServerOptions options);

    [Fact(Timeout = Hang)]
    public async Task A_new_run_is_found_open_and_empty()
    {
        var store = await OpenAsync(new());
        var (id, epoch) = (Guid.NewGuid().ToString("N"), "abcdefgh");

        var created = await store.CreateAsync(new NewRun(id, epoch), TestEnds);
        var found = (await store.FindAsync(id, TestEnds)).ShouldNotBeNull();

        (created.Id, created.Epoch).ShouldBe((id, epoch));
        (found.Id, found.Epoch).ShouldBe((id, epoch));
        (await found.GetStateAsync(TestEnds)).ShouldBe(new RunState(RunStatus.Running, Tail: 0, Oldest: 1));
        var slice = await found.ReadAsync(0, int.MaxValue, TestEnds);
        (slice.Records.Length, slice.State).ShouldBe((0, new RunState(RunStatus.Running, 0, 1)));
    }

    [Theory(Timeout = Hang)]
    [InlineData("")]
    [InlineData("no-such-run")]
    [InlineData("' OR 1=1 --")]
    [InlineData("zero\0byte")]
    [InlineData("half \ud83c")]
    public async Task Any_other_id_is_not_found(string id)
    {
        var store = await OpenAsync(new());
        await CreateAsync(store);

        (await store.FindAsync(id, TestEnds)).ShouldBeNull();
        (await store.FindAsync(new string('x', 10_000), TestEnds)).ShouldBeNull();
    }

    [Fact(Timeout = Hang)]
    public async Task An_id_in_use_is_refused()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);

        await Should.ThrowAsync<InvalidOperationException>(async () => await store.CreateAsync(new NewRun(run.Id, "otherone"), TestEnds));

        (await store.FindAsync(run.Id, TestEnds))!.Epoch.ShouldBe(run.Epoch);
    }

    [Fact(Timeout = Hang)]
    public async Task What_was_appended_is_read_as_it_was()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);
        RunEvent[] events =
        [
            new(null, "text"u8.ToArray(), RunDataKind.Text),
            new("grün 🌿", """{"a":1}"""u8.ToArray(), RunDataKind.Json),
            new("", ReadOnlyMemory<byte>.Empty, RunDataKind.Text),
            new("audio", new byte[] { 0, 255, 13, 10 }, RunDataKind.Binary),
        ];

        foreach (var (index, item) in events.Index())
        {
            (await run.AppendAsync(item, TestEnds)).ShouldBe(new AppendResult(AppendOutcome.Appended, index + 1));
        }

        var slice = await (await FindAsync(store, run)).ReadAsync(0, int.MaxValue, TestEnds);
        slice.State.ShouldBe(new RunState(RunStatus.Running, 4, 1));
        foreach (var (index, record) in slice.Records.ToArray().Index())
        {
            record.Sequence.ShouldBe(index + 1);
            (record.Content.EventType ?? "", record.Content.Kind).ShouldBe((events[index].EventType ?? "", events[index].Kind));
            record.Content.Data.ToArray().ShouldBe(events[index].Data.ToArray());
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_slice_begins_after_a_sequence_and_is_bounded_by_bytes()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);
        for (var n = 0; n < 10; n++)
        {
            await AppendAsync(run, new string('x', 100));
        }

        (await ReadAsync(run, 9)).ShouldBe([10]);
        (await ReadAsync(run, 10)).ShouldBe([]);
        (await ReadAsync(run, 1_000_000_000_000)).ShouldBe([]);
        (await ReadAsync(run, 3, maxBytes: 1)).ShouldBe([4]);
        (await ReadAsync(run, 0, maxBytes: 350)).Length.ShouldBeInRange(3, 5);
    }

    [Fact(Timeout = Hang)]
    public async Task Appends_are_recorded_in_the_order_of_the_calls_and_before_a_close_that_follows()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);

        var appends = Enumerable.Range(1, 500).Select(n => run.AppendAsync(Text($"{n}"), TestEnds).AsTask()).ToArray();
        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Completed);

        (await Task.WhenAll(appends)).Select(result => result.Sequence).ShouldBe(Enumerable.Range(1, 500).Select(n => (long)n));
        var records = (await run.ReadAsync(0, int.MaxValue, TestEnds)).Records.ToArray();
        records[..500].Select(TextOf).ShouldBe(Enumerable.Range(1, 500).Select(n => $"{n}"));
        records[^1].Content.EventType.ShouldBe("perennial.completed");
    }

    [Fact(Timeout = Hang)]
    public async Task Concurrent_appends_leave_no_hole()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);

        await Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var n = 0; n < 50; n++)
            {
                await AppendAsync(run, $"{writer}:{n}");
            }
        })));

        var records = (await run.ReadAsync(0, int.MaxValue, TestEnds)).Records.ToArray();
        records.Select(record => record.Sequence).ShouldBe(Enumerable.Range(1, 400).Select(n => (long)n));
        for (var writer = 0; writer < 8; writer++)
        {
            records.Select(TextOf).Where(text => text.StartsWith($"{writer}:", StringComparison.Ordinal))
                .ShouldBe(Enumerable.Range(0, 50).Select(n => $"{writer}:{n}"));
        }
    }

    [Fact(Timeout = Hang)]
    public async Task The_first_end_wins_and_is_the_last_record()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);
        await AppendAsync(run, "one");
        var elsewhere = await FindAsync(store, run);

        (await elsewhere.CloseAsync(RunEnd.Failed("The model is busy.", "busy"), TestEnds)).ShouldBe(RunStatus.Failed);
        (await run.CloseAsync(RunEnd.Completed, TestEnds)).ShouldBe(RunStatus.Failed);
        (await run.AppendAsync(Text("late"), TestEnds)).Outcome.ShouldBe(AppendOutcome.Closed);

        (await run.GetStateAsync(TestEnds)).ShouldBe(new RunState(RunStatus.Failed, Tail: 2, Oldest: 1));
        var slice = await run.ReadAsync(1, int.MaxValue, TestEnds);
        slice.State.ShouldBe(new RunState(RunStatus.Failed, 2, 1));
        var end = slice.Records.ToArray().ShouldHaveSingleItem();
        (end.Sequence, end.Content.EventType).ShouldBe((2, "perennial.failed"));
        TextOf(end).ShouldBe("""{"error":{"message":"The model is busy.","code":"busy"}}""");
    }

    [Fact(Timeout = Hang)]
    public async Task All_who_close_at_once_hear_of_the_same_end()
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);
        RunEnd[] ends = [RunEnd.Completed, RunEnd.Stopped, RunEnd.Failed("message", "code"), RunEnd.Stopped];

        var heard = await Task.WhenAll(ends.Select(end => Task.Run(async () => await (await FindAsync(store, run)).CloseAsync(end, TestEnds))));

        heard.Distinct().ShouldHaveSingleItem().ShouldBe((await run.GetStateAsync(TestEnds)).Status);
        (await run.GetStateAsync(TestEnds)).Tail.ShouldBe(1);
    }

    [Fact(Timeout = Hang)]
    public async Task An_event_that_does_not_fit_leaves_the_run_open_and_the_end_still_fits()
    {
        var store = await OpenAsync(new() { MaxBytesPerRun = 1024 });
        var run = await CreateAsync(store);
        await AppendAsync(run, new string('x', 900));

        (await run.AppendAsync(Text(new string('y', 100)), TestEnds)).ShouldBe(new AppendResult(AppendOutcome.TooLarge));
        (await run.GetStateAsync(TestEnds)).ShouldBe(new RunState(RunStatus.Running, 1, 1));

        (await run.CloseAsync(RunEnd.Failed(new string('z', 1000), "code"), TestEnds)).ShouldBe(RunStatus.Failed);
        (await run.GetStateAsync(TestEnds)).Tail.ShouldBe(2);
    }

    [Fact(Timeout = Hang)]
    public async Task Readers_who_wait_for_news_miss_and_repeat_nothing()
    {
        const int readers = 12, events = 2000;
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);

        var reading = Enumerable.Range(0, readers).Select(_ => Task.Run(ReadToEndAsync)).ToArray();
        var appends = new List<Task>();
        for (var n = 1; n <= events; n++)
        {
            appends.Add(run.AppendAsync(Text($"{n}"), TestEnds).AsTask());
            if (n % 50 == 0)
            {
                await Task.WhenAll(appends);
            }
        }

        await run.CloseAsync(RunEnd.Completed, TestEnds);

        foreach (var texts in await Task.WhenAll(reading))
        {
            texts.ShouldBe([.. Enumerable.Range(1, events).Select(n => $"{n}"), "[DONE]"]);
        }

        async Task<List<string>> ReadToEndAsync()
        {
            var log = await FindAsync(store, run);
            var news = new RunSignal();
            using var subscription = log.Subscribe(RunNews.Records, news);
            var texts = new List<string>();
            while (true)
            {
                var slice = await log.ReadAsync(texts.Count, 200, TestEnds);
                foreach (var record in slice.Records.ToArray())
                {
                    record.Sequence.ShouldBe(texts.Count + 1);
                    texts.Add(TextOf(record));
                }

                if (slice.State.Status != RunStatus.Running && texts.Count == slice.State.Tail)
                {
                    return texts;
                }

                if (slice.Records.IsEmpty)
                {
                    await news.WaitAsync();
                }
            }
        }
    }

    [Theory(Timeout = Hang)]
    [InlineData(RunNews.Records)]
    [InlineData(RunNews.Messages)]
    public async Task The_end_is_news_to_everybody(RunNews kind)
    {
        var store = await OpenAsync(new());
        var run = await CreateAsync(store);
        var news = new RunSignal();
        using var subscription = run.Subscribe(kind, news);

        await (await FindAsync(store, run)).CloseAsync(RunEnd.Stopped, TestEnds);

        while ((await run.GetStateAsync(TestEnds)).Status == RunStatus.Running)
        {
            await news.WaitAsync();
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_is_forgotten_after_its_end_and_not_before()
    {
        var store = await OpenAsync(new() { FinishedRunRetention = TimeSpan.Zero });
        var (ended, open) = (await CreateAsync(store), await CreateAsync(store));

        await ended.CloseAsync(RunEnd.Completed, TestEnds);

        while (await store.FindAsync(ended.Id, TestEnds) is not null)
        {
            await Task.Yield();
        }

        (await store.FindAsync(open.Id, TestEnds)).ShouldNotBeNull();
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_with_a_retention_of_its_own_is_kept_for_that()
    {
        var brief = await OpenAsync(new() { FinishedRunRetention = TimeSpan.Zero });
        var (kept, usual) = (await CreateAsync(brief, retention: TimeSpan.FromDays(7)), await CreateAsync(brief));
        await kept.CloseAsync(RunEnd.Completed, TestEnds);
        await usual.CloseAsync(RunEnd.Completed, TestEnds);
        while (await brief.FindAsync(usual.Id, TestEnds) is not null)
        {
            await Task.Yield();
        }

        (await brief.FindAsync(kept.Id, TestEnds)).ShouldNotBeNull();

        var patient = await OpenAsync(new() { FinishedRunRetention = TimeSpan.FromDays(7) });
        var (fleeting, lasting) = (await CreateAsync(patient, retention: TimeSpan.Zero), await CreateAsync(patient));
        await lasting.CloseAsync(RunEnd.Completed, TestEnds);
        await fleeting.CloseAsync(RunEnd.Completed, TestEnds);
        while (await patient.FindAsync(fleeting.Id, TestEnds) is not null)
        {
            await Task.Yield();
        }

        (await patient.FindAsync(lasting.Id, TestEnds)).ShouldNotBeNull();
    }

    internal static async Task<IRunLog> CreateAsync(IRunStore store, bool takesMessages = true, TimeSpan? retention = null) =>
        await store.CreateAsync(
            new NewRun(Guid.NewGuid().ToString("N"), Guid.NewGuid().ToString("N")[..8]) { TakesMessages = takesMessages, Retention = retention }, TestEnds);

    private static async Task<IRunLog> FindAsync(IRunStore store, IRunLog run) => (await store.FindAsync(run.Id, TestEnds)).ShouldNotBeNull();

    private static async Task AppendAsync(IRunLog run, string text) =>
        (await run.AppendAsync(Text(text), TestEnds)).Outcome.ShouldBe(AppendOutcome.Appended);

    private static async Task<long[]> ReadAsync(IRunLog run, long after, int maxBytes = int.MaxValue) =>
        [.. (await run.ReadAsync(after, maxBytes, TestEnds)).Records.ToArray().Select(record => record.Sequence)];

    private static RunEvent Text(string text) => new(null, Encoding.UTF8.GetBytes(text), RunDataKind.Text);

    private static string TextOf(RunRecord record) => Encoding.UTF8.GetString(record.Content.Data.Span);
}
