using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How runs end.</summary>
internal static class EndBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("The first end wins and is the last record", WinAsync),
        new("All who close at once get the same end", CompeteAsync),
        new("An end survives an append that was cancelled", SurviveAppendAsync),
        new("A close that was cancelled can be repeated", RepeatAsync),
    ];

    private static async Task WinAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);
        await trial.AppendAsync(run, "one");
        var elsewhere = await trial.FindAsync(store, run);

        Expect.Equal(RunStatus.Failed, await trial.CloseAsync(elsewhere, RunEnd.Failed("The model is busy.", "busy")), "The first close");
        Expect.Equal(RunStatus.Failed, await trial.CloseAsync(run, RunEnd.Completed), "The second close");
        Expect.Equal(RunStatus.Failed, await trial.CloseAsync(elsewhere, RunEnd.Stopped), "The third close");
        Expect.Equal(
            AppendOutcome.Closed, (await run.AppendAsync(RunStoreTrial.TextEvent("late"), trial.Token)).Outcome, "Appending after the end");

        var ended = new RunState { Status = RunStatus.Failed, Tail = 2, Oldest = 1 };
        Expect.Equal(ended, await trial.StateAsync(run), "The state after the end");
        var slice = await run.ReadAsync(1, int.MaxValue, trial.Token);
        Expect.Equal(ended, slice.State, "The state that came with the end");
        Expect.Sequence(
            ["""2 perennial.failed {"error":{"message":"The model is busy.","code":"busy"}}"""],
            slice.Records.ToArray().Select(static record => $"{record.Sequence} {record.Content.EventType} {RunStoreTrial.TextOf(record)}"),
            "The last record");
    }

    private static async Task CompeteAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);
        RunEnd[] ends = [RunEnd.Completed, RunEnd.Stopped, RunEnd.Failed("message", "code"), RunEnd.Stopped];

        var answers = await Task.WhenAll(ends.Select(end => Task.Run(
            async () => await trial.CloseAsync(await trial.FindAsync(store, run), end), trial.Token)));

        var state = await trial.StateAsync(run);
        Expect.Sequence(Enumerable.Repeat(state.Status, ends.Length), answers, "Answers to those who closed");
        Expect.Equal(1, state.Tail, "The tail after the end");
    }

    private static async Task SurviveAppendAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        await trial.AppendAsync(run, "one");
        await DoCancelledAsync(stop => run.AppendAsync(RunStoreTrial.TextEvent("two"), stop).AsTask());

        Expect.Equal(RunStatus.Completed, await trial.CloseAsync(run, RunEnd.Completed), "Closing after an append that was cancelled");

        var records = (await trial.ReadAsync(run)).Select(static record => (record.Sequence, RunStoreTrial.TextOf(record))).ToList();
        var isRecorded = records.Count == 3;
        Expect.Sequence(isRecorded ? [(1L, "one"), (2L, "two"), (3L, "[DONE]")] : [(1L, "one"), (2L, "[DONE]")], records, "Records");
    }

    private static async Task RepeatAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        await DoCancelledAsync(stop => run.CloseAsync(RunEnd.Stopped, stop).AsTask());

        var answer = await trial.CloseAsync(run, RunEnd.Completed);

        var state = await trial.StateAsync(run);
        Expect.Equal(
            new RunState { Status = answer, Tail = 1, Oldest = 1 }, state, "The state after a close that was cancelled and another");
        Expect.That(
            answer is RunStatus.Stopped or RunStatus.Completed, $"The run must end as one of the closes asked, but ended as {answer}.");
    }

    /// <summary>Makes a call with a token that is cancelled. It may do its work all the same.</summary>
    private static async Task DoCancelledAsync(Func<CancellationToken, Task> call)
    {
        try
        {
            await call(new CancellationToken(canceled: true));
        }
        catch (OperationCanceledException)
        {
            // As the contract allows.
        }
    }
}
