using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>How numbered messages of a sender are taken.</summary>
internal static class SenderBehaviors
{
    public static IReadOnlyList<RunStoreBehavior> All { get; } =
    [
        new("Numbers are taken once, in order and without holes, for each sender", CountAsync),
        new("A refused message uses up its number, reaches no producer, and is remembered until its sender knows", RefuseAsync),
        new("As many refusals are remembered as a client has messages under way", RememberAsync),
    ];

    private static async Task CountAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();

        await ExpectAsync("a", 1, new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = 1 });
        await ExpectAsync("a", 3, new ReceiveResult { Outcome = ReceiveOutcome.Hole, Received = 1 });
        await ExpectAsync("a", 2, new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = 2 });
        await ExpectAsync("a", 1, new ReceiveResult { Outcome = ReceiveOutcome.Repeated, Received = 2 });
        await ExpectAsync("b", 2, new ReceiveResult { Outcome = ReceiveOutcome.Hole, Received = 0 });
        await ExpectAsync("b", 1, new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = 1 });

        foreach (var (sender, received) in new[] { ("a", 2L), ("b", 1L), ("unknown", 0L) })
        {
            Expect.Equal(
                received, (await run.GetSenderAsync(sender, 1, trial.Token)).Received, $"The last number received from sender {sender}");
        }

        Expect.Sequence(["a1", "a2", "b1"], await trial.MessageTextsAsync(run), "Messages that the producer gets");

        async Task ExpectAsync(string sender, long number, ReceiveResult expected)
        {
            var message = RunStoreTrial.TextMessage($"{sender}{number}") with { Sender = sender, Number = number };
            Expect.Equal(expected, await trial.ReceiveAsync(run, message), $"Message {number} of sender {sender}");
        }
    }

    private static async Task RefuseAsync(RunStoreTrial trial)
    {
        var run = await trial.OpenRunAsync();
        var refused = new RunMessage { Sender = "s", Number = 1, Refusal = "payload_too_large" };
        var next = RunStoreTrial.TextMessage("next") with { Sender = "s", Number = 2 };

        Expect.Equal(
            new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = 1 },
            await trial.ReceiveAsync(run, refused),
            "A refused message");
        Expect.Equal(
            new ReceiveResult { Outcome = ReceiveOutcome.Repeated, Received = 1 },
            await trial.ReceiveAsync(run, refused),
            "Its repetition");
        Expect.Equal(
            new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = 2 },
            await trial.ReceiveAsync(run, next),
            "The message after it");
        await trial.ReceiveAsync(run, new RunMessage { Sender = "s", Number = 3, Refusal = "forbidden" });

        Expect.Sequence(["next"], await trial.MessageTextsAsync(run), "Messages that the producer gets");
        await ExpectRefusals(1, new RunRefusal
        {
            Number = 1,
            Code = "payload_too_large",
        }, new RunRefusal { Number = 3, Code = "forbidden" });
        await ExpectRefusals(2, new RunRefusal { Number = 3, Code = "forbidden" });
        await ExpectRefusals(1, new RunRefusal { Number = 3, Code = "forbidden" });
        await ExpectRefusals(4);

        async Task ExpectRefusals(long firstOpen, params RunRefusal[] refusals)
        {
            var state = await run.GetSenderAsync("s", firstOpen, trial.Token);
            Expect.Equal(3, state.Received, "The last number received");
            Expect.Sequence(refusals, state.Refusals, $"Refusals from number {firstOpen} on");
        }
    }

    private static async Task RememberAsync(RunStoreTrial trial)
    {
        const int window = 256, told = 10;
        var run = await trial.OpenRunAsync();
        for (var n = 1; n <= told + window; n++)
        {
            var message = new RunMessage { Sender = "s", Number = n, Refusal = "forbidden" };
            await trial.ExpectReceiptAsync(run, message, ReceiveOutcome.Accepted, $"Refused message {n}");
        }

        var state = await run.GetSenderAsync("s", told + 1, trial.Token);

        Expect.Equal(told + window, state.Received, "The last number received");
        Expect.Sequence(
            Enumerable.Range(told + 1, window).Select(static n => (long)n),
            state.Refusals.Select(static refusal => refusal.Number),
            "Numbers of refusals");
    }
}
