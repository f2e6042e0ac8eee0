using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How events are recorded and read.</summary>
internal static class RecordBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("Events are read as they were appended", ReadAsync),
        new("A slice begins after a sequence and is limited by bytes", SliceAsync),
        new("A slice that was read does not change", KeepAsync),
        new("Appends are recorded in the order of the calls and before a close that follows", OrderAsync),
        new("Concurrent appends leave no hole", CompeteAsync),
        new("An event that does not fit leaves the run open, and the end still fits", FillAsync),
    ];

    private static async Task ReadAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);
        RunEvent[] events =
        [
            new RunEvent { Data = "text"u8.ToArray(), Kind = RunDataKind.Text },
            new RunEvent { EventType = "grün 🌿", Data = """{"a":1}"""u8.ToArray(), Kind = RunDataKind.Json },
            new RunEvent { EventType = "", Data = ReadOnlyMemory<byte>.Empty, Kind = RunDataKind.Text },
            new RunEvent { EventType = "audio", Data = new byte[] { 0, 255, 13, 10 }, Kind = RunDataKind.Binary },
        ];

        foreach (var (index, item) in events.Index())
        {
            Expect.Equal(
                new AppendResult { Outcome = AppendOutcome.Appended, Sequence = index + 1 },
                await run.AppendAsync(item, trial.Token),
                "Appending an event");
        }

        var slice = await (await trial.FindAsync(store, run)).ReadAsync(0, int.MaxValue, trial.Token);
        Expect.Equal(
            new RunState { Status = RunStatus.Running, Tail = 4, Oldest = 1 }, slice.State, "The state that came with the records");
        Expect.Sequence(
            events.Select(static (item, index) => Describe(index + 1, item)),
            slice.Records.ToArray().Select(static record => Describe(record.Sequence, record.Content)),
            "Records");

        // No event type and an empty one reach readers alike.
        static string Describe(long sequence, RunEvent item) =>
            $"{sequence}: \"{item.EventType ?? ""}\" {item.Kind} {Convert.ToHexString(item.Data.Span)}";
    }

    private static async Task SliceAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        for (var n = 0; n < 10; n++)
        {
            await trial.AppendAsync(run, new string('x', 100));
        }

        await ExpectSequences([10], 9, int.MaxValue);
        await ExpectSequences([], 10, int.MaxValue);
        await ExpectSequences([], 1_000_000_000_000, int.MaxValue);
        await ExpectSequences([4], 3, maxBytes: 1);
        var length = (await trial.ReadAsync(run, 0, maxBytes: 350)).Length;
        Expect.That(length is >= 3 and <= 5, $"About 350 bytes of records of 100 bytes must be 3 to 5 records, but were {length}.");
        await Expect.ThrowsAsync<ArgumentOutOfRangeException>(() => trial.ReadAsync(run, -1), "Reading after -1");

        async Task ExpectSequences(long[] expected, long after, int maxBytes) => Expect.Sequence(
            expected,
            (await trial.ReadAsync(run, after, maxBytes)).Select(static record => record.Sequence),
            $"Records of {maxBytes} bytes after {after}");
    }

    private static async Task KeepAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        await trial.AppendAsync(run, "one");
        await trial.AppendAsync(run, "two");
        var slice = await run.ReadAsync(0, int.MaxValue, trial.Token);

        for (var n = 0; n < 100; n++)
        {
            await trial.AppendAsync(run, "later");
        }

        await trial.CloseAsync(run, RunEnd.Completed);

        Expect.Sequence(["one", "two"], slice.Records.ToArray().Select(RunStoreTrial.TextOf), "Records of the slice");
        Expect.Equal(new RunState { Status = RunStatus.Running, Tail = 2, Oldest = 1 }, slice.State, "The state of the slice");
    }

    private static async Task OrderAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        var numbers = Enumerable.Range(1, 500).ToArray();

        var appends = numbers.Select(n => run.AppendAsync(RunStoreTrial.TextEvent($"{n}"), trial.Token).AsTask()).ToArray();
        Expect.Equal(RunStatus.Completed, await trial.CloseAsync(run, RunEnd.Completed), "Closing while appends are under way");

        Expect.Sequence(
            numbers.Select(static n => (long)n),
            (await Task.WhenAll(appends)).Select(static result => result.Sequence),
            "Sequences of the appends");
        var records = await trial.ReadAsync(run);
        Expect.Sequence([.. numbers.Select(static n => $"{n}"), "[DONE]"], records.Select(RunStoreTrial.TextOf), "Records");
        Expect.Equal("perennial.completed", records[^1].Content.EventType, "The type of the last record");
    }

    private static async Task CompeteAsync(RunStoreTrial trial)
    {
        const int writers = 8, each = 50;
        var run = await trial.OpenRunAsync();

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(
            async () =>
            {
                for (var n = 0; n < each; n++)
                {
                    await trial.AppendAsync(run, $"{writer}:{n}");
                }
            },
            trial.Token)));

        var records = await trial.ReadAsync(run);
        Expect.Sequence(
            Enumerable.Range(1, writers * each).Select(static n => (long)n), records.Select(static record => record.Sequence), "Sequences");
        for (var writer = 0; writer < writers; writer++)
        {
            var texts = records.Select(RunStoreTrial.TextOf).Where(text => text.StartsWith($"{writer}:", StringComparison.Ordinal));
            Expect.Sequence(Enumerable.Range(0, each).Select(n => $"{writer}:{n}"), texts, $"Records of writer {writer}");
        }
    }

    private static async Task FillAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync(new() { MaxBytesPerRun = 1024 });
        await trial.AppendAsync(run, new string('x', 900));

        var refused = await run.AppendAsync(RunStoreTrial.TextEvent(new string('y', 100)), trial.Token);
        Expect.Equal(new AppendResult { Outcome = AppendOutcome.TooLarge }, refused, "Appending more than MaxBytesPerRun allows");
        Expect.Equal(
            new RunState { Status = RunStatus.Running, Tail = 1, Oldest = 1 }, await trial.StateAsync(run), "The state after that");

        Expect.Equal(RunStatus.Failed, await trial.CloseAsync(run, RunEnd.Failed(new string('z', 1000), "code")), "Closing a full run");
        Expect.Equal(2, (await trial.StateAsync(run)).Tail, "The tail after the end");
    }
}
