using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How messages to a producer are taken.</summary>
internal static class MessageBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("Messages are read in order, as they were sent, until they are done with", ReadAsync),
        new("A message with a key is taken once, and one without a name each time", TakeOnceAsync),
        new("A key belongs to its owner and to one message", OwnAsync),
        new("Messages after the end are refused, and earlier ones are still known", EndAsync),
        new("A run that takes no messages refuses them", TakeNoneAsync),
        new("More messages than may wait are refused until there is room", FillAsync),
        new("Of many repetitions at once one is taken", RepeatAsync),
    ];

    private static async Task ReadAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        await trial.ReceiveAsync(run, new() { Data = "one"u8.ToArray(), Key = "k1" });
        await trial.ReceiveAsync(run, new() { Data = new byte[] { 0, 255 }, IsBinary = true, Sender = "s", Number = 1 });
        await trial.ReceiveAsync(run, new() { Data = ReadOnlyMemory<byte>.Empty });

        await ExpectAfter(0, "1 False 6F6E65", "2 True 00FF", "3 False ");
        await ExpectAfter(2, "3 False ");
        await ExpectAfter(3);
        await trial.ReceiveAsync(run, RunStoreTrial.TextMessage("4"));
        await ExpectAfter(3, "4 False 34");

        async Task ExpectAfter(long position, params string[] expected) => Expect.Sequence(
            expected,
            (await run.ReadMessagesAsync(position, trial.Token))
                .Select(static message => $"{message.Position} {message.IsBinary} {Convert.ToHexString(message.Data.Span)}"),
            $"Messages after position {position}");
    }

    private static async Task TakeOnceAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();

        await trial.ExpectReceiptAsync(
            run, RunStoreTrial.TextMessage("a") with { Key = "key" }, ReceiveOutcome.Accepted, "The first message of a key");
        await trial.ExpectReceiptAsync(run, RunStoreTrial.TextMessage("a") with { Key = "key" }, ReceiveOutcome.Repeated, "Its repetition");
        await trial.ExpectReceiptAsync(
            run, RunStoreTrial.TextMessage("c") with { Key = "KEY" }, ReceiveOutcome.Accepted, "A key in other letters");
        await trial.ExpectReceiptAsync(run, RunStoreTrial.TextMessage("d"), ReceiveOutcome.Accepted, "A message without a key");
        await trial.ExpectReceiptAsync(run, RunStoreTrial.TextMessage("d"), ReceiveOutcome.Accepted, "The same again");

        Expect.Sequence(["a", "c", "d", "d"], await trial.MessageTextsAsync(run), "Messages that the producer gets");
    }

    private static async Task OwnAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        var first = RunStoreTrial.TextMessage("a") with { Key = "key", KeyOwner = "one" };

        await trial.ExpectReceiptAsync(run, first, ReceiveOutcome.Accepted, "The first message of a key");
        await trial.ExpectReceiptAsync(run, first with { KeyOwner = "two" }, ReceiveOutcome.Accepted, "The key of another owner");
        await trial.ExpectReceiptAsync(run, first with { Data = "b"u8.ToArray() }, ReceiveOutcome.OtherMessage, "The key with other data");
        await trial.ExpectReceiptAsync(
            run, first with { IsBinary = true }, ReceiveOutcome.OtherMessage, "The key with data of another kind");
        await trial.ExpectReceiptAsync(run, first, ReceiveOutcome.Repeated, "The repetition of the first");

        Expect.Sequence(["a", "a"], await trial.MessageTextsAsync(run), "Messages that the producer gets");
    }

    private static async Task EndAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        var keyed = RunStoreTrial.TextMessage("a") with { Key = "key" };
        var numbered = RunStoreTrial.TextMessage("b") with { Sender = "s", Number = 1 };
        await trial.ReceiveAsync(run, keyed);
        await trial.ReceiveAsync(run, numbered);

        await trial.CloseAsync(run, RunEnd.Completed);

        await trial.ExpectReceiptAsync(run, keyed, ReceiveOutcome.Repeated, "A key that was taken before the end");
        Expect.Equal(
            new ReceiveResult { Outcome = ReceiveOutcome.Repeated, Received = 1 },
            await trial.ReceiveAsync(run, numbered),
            "A number that was taken before the end");
        await trial.ExpectReceiptAsync(run, RunStoreTrial.TextMessage("c"), ReceiveOutcome.Ended, "A message after the end");
        Expect.Equal(
            new ReceiveResult { Outcome = ReceiveOutcome.Ended, Received = 1 },
            await trial.ReceiveAsync(run, numbered with { Number = 2 }),
            "A number after the end");
    }

    private static async Task TakeNoneAsync(RunStoreTrial trial)
    {
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store, takesMessages: false);

        await trial.ExpectReceiptAsync(
            await trial.FindAsync(store, run),
            RunStoreTrial.TextMessage("one"),
            ReceiveOutcome.NotTaken,
            "A message to a run that takes none");

        Expect.Sequence([], await trial.MessageTextsAsync(run), "Messages that the producer gets");
    }

    private static async Task FillAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync(new() { MaxPendingMessageBytes = 1000 });
        var large = RunStoreTrial.TextMessage(new string('x', 2000)) with { Key = "large" };
        var small = RunStoreTrial.TextMessage("small") with { Key = "small" };

        await trial.ExpectReceiptAsync(run, large, ReceiveOutcome.Accepted, "A single message that is too large");
        await trial.ExpectReceiptAsync(run, small, ReceiveOutcome.Full, "A message after it");
        await trial.ExpectReceiptAsync(run, large, ReceiveOutcome.Repeated, "The repetition of the first");

        await run.ReadMessagesAsync(1, trial.Token);
        await trial.ExpectReceiptAsync(run, small, ReceiveOutcome.Accepted, "The second message after the first is done with");
    }

    private static async Task RepeatAsync(RunStoreTrial trial)
    {
        const int repetitions = 16;
        var store = await trial.OpenAsync();
        var run = await trial.CreateAsync(store);
        var message = RunStoreTrial.TextMessage("once") with { Key = "key" };

        var results = await Task.WhenAll(Enumerable.Range(0, repetitions).Select(_ => Task.Run(
            async () => await trial.ReceiveAsync(await trial.FindAsync(store, run), message), trial.Token)));

        Expect.Equal(1, results.Count(static result => result.Outcome == ReceiveOutcome.Accepted), "Messages that were accepted");
        Expect.Equal(
            repetitions - 1, results.Count(static result => result.Outcome == ReceiveOutcome.Repeated), "Messages that were repetitions");
        Expect.Sequence(["once"], await trial.MessageTextsAsync(run), "Messages that the producer gets");
    }
}
