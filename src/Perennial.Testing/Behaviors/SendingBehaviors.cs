namespace Perennial.Testing;

/// <summary>What becomes of sent messages.</summary>
internal static class SendingBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("Sends arrive in order, with the outcome that is promised", SendInOrderAsync, CanSend),
        new(
            "Sends over cuts arrive exactly once and in order",
            SendExactlyOnceAsync,
            static traits => traits.Sends == SendPromise.ExactlyOnce),
        new(
            "Sends over cuts never arrive twice, and their outcomes are true",
            SendAtMostOnceAsync,
            static traits => traits.Sends is SendPromise.Sent or SendPromise.Acknowledged),
        new("A send waits for a connection", WaitForConnectionAsync, CanSend),
        new("A full send queue refuses at once", RefuseWhenFullAsync, CanSend),
        new("A send that is cancelled before it leaves does not arrive", CancelSendAsync, CanSend),
    ];

    private static bool CanSend(TransportTraits traits) => traits.Sends != SendPromise.None;

    private static async Task SendInOrderAsync(BehaviorRun run)
    {
        const int Count = 100;
        await using var observed = await run.ConnectAsync();

        var outcomes = await run.SoonAsync(Task.WhenAll(SendAll(run, observed, 1, Count)), "all sends complete");

        var expected = run.Traits.Sends == SendPromise.Sent ? SendOutcome.Sent : SendOutcome.Acknowledged;
        BehaviorRun.Require(outcomes.All(outcome => outcome == expected), $"Every send must end as {expected}.");
        await run.UntilAsync(() => run.Harness.ReceivedSends.Count >= Count, "the server takes all sends");
        BehaviorRun.RequireNumbers(run.Harness.ReceivedSends, 1, Count, "Messages the server took");
    }

    private static async Task SendExactlyOnceAsync(BehaviorRun run)
    {
        const int Count = 200;
        await using var observed = await run.ConnectAsync();
        var reading = observed.ReadToEndAsync();

        var sends = await SendOverCutsAsync(run, observed, Count);

        var outcomes = await run.SoonAsync(Task.WhenAll(sends), "all sends complete");
        BehaviorRun.Require(outcomes.All(static outcome => outcome == SendOutcome.Acknowledged), "Every send must end as Acknowledged.");
        await run.UntilAsync(() => run.Harness.ReceivedSends.Count >= Count, "the server takes all sends");
        BehaviorRun.RequireNumbers(run.Harness.ReceivedSends, 1, Count, "Messages the server took");
        await run.CompleteAsync();
        await reading;
    }

    private static async Task SendAtMostOnceAsync(BehaviorRun run)
    {
        const int Count = 200;
        await using var observed = await run.ConnectAsync();

        var sends = await SendOverCutsAsync(run, observed, Count);

        await run.SoonAsync(Task.WhenAll(sends).ContinueWith(static _ => { }, TaskScheduler.Default), "all sends end");
        await SendUntilReceivedAsync(run, observed, "last");
        var received = run.Harness.ReceivedSends.CountBy(static text => text, StringComparer.Ordinal).ToDictionary(StringComparer.Ordinal);
        for (var i = 0; i < Count; i++)
        {
            var (text, send) = (BehaviorRun.Text(i + 1), sends[i]);
            var times = received.GetValueOrDefault(text);
            BehaviorRun.Require(times <= 1, $"Send {text} arrived {BehaviorRun.Text(times)} times.");
            if (send.Exception?.InnerException is { } error)
            {
                var delivery = (error as TransportException)?.Delivery;
                BehaviorRun.Require(delivery is not null, $"Send {text} failed without a Delivery: {error.Message}");
                BehaviorRun.Require(delivery == DeliveryStatus.Unknown || times == 0, $"Send {text} ended as {delivery}, but it arrived.");
            }
            else
            {
                BehaviorRun.Require(
                    await send == SendOutcome.Sent || times == 1, $"Send {text} was acknowledged, but it did not arrive.");
            }
        }
    }

    private static async Task WaitForConnectionAsync(BehaviorRun run)
    {
        run.Harness.Refusing = true;
        await using var observed = run.Create();
        var sends = SendAll(run, observed, 1, 3);
        await observed.WaitForAsync<ReconnectingEvent>(2);
        BehaviorRun.Require(sends.All(static send => !send.IsCompleted), "A send ended before there was a connection.");

        run.Harness.Refusing = false;

        await run.SoonAsync(Task.WhenAll(sends), "the sends complete once there is a connection");
        await run.UntilAsync(() => run.Harness.ReceivedSends.Count >= 3, "the server takes all sends");
        BehaviorRun.RequireNumbers(run.Harness.ReceivedSends, 1, 3, "Messages the server took");
    }

    private static async Task RefuseWhenFullAsync(BehaviorRun run)
    {
        run.Harness.Refusing = true;
        await using var observed = run.Create(new TransportSetup { Send = new SendOptions { QueueCapacity = 2 } });
        var sends = SendAll(run, observed, 1, 2);

        var error = await run.FailsAsync<TransportException>(
            observed.Transport.SendAsync("too many", run.Token), "A send beyond Send.QueueCapacity");

        BehaviorRun.RequireEqual(TransportErrorCode.SendQueueFull, error.Code, "The error of the send");
        BehaviorRun.RequireEqual(DeliveryStatus.NotSent, error.Delivery, "Its Delivery");
        run.Harness.Refusing = false;
        await run.SoonAsync(Task.WhenAll(sends), "the sends in the queue complete");
    }

    private static async Task CancelSendAsync(BehaviorRun run)
    {
        run.Harness.Refusing = true;
        await using var observed = run.Create();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(run.Token);
        var cancelled = observed.Transport.SendAsync("cancelled", cancellation.Token);
        var kept = observed.Transport.SendAsync("1", run.Token);

        await cancellation.CancelAsync();

        await run.FailsAsync<OperationCanceledException>(cancelled, "A send with a cancelled token");
        run.Harness.Refusing = false;
        await run.SoonAsync(kept, "the send after it completes");
        await run.UntilAsync(() => run.Harness.ReceivedSends.Count >= 1, "the server takes the send after it");
        BehaviorRun.RequireNumbers(run.Harness.ReceivedSends, 1, 1, "Messages the server took");
    }

    /// <summary>Sends a message until it has arrived: whatever was sent before it has arrived then, or never will.</summary>
    private static async Task SendUntilReceivedAsync(BehaviorRun run, ObservedTransport observed, string text)
    {
        var send = observed.Transport.SendAsync(text, run.Token);
        await run.UntilAsync(
            () => run.Harness.ReceivedSends.Contains(text, StringComparer.Ordinal), "the server takes a send after the cuts", () =>
        {
            if (send.IsCompleted)
            {
                _ = send.Exception;
                send = observed.Transport.SendAsync(text, run.Token);
            }
        });
    }

    private static List<Task<SendOutcome>> SendAll(BehaviorRun run, ObservedTransport observed, int first, int last) =>
        [.. Enumerable.Range(first, last - first + 1).Select(number => observed.Transport.SendAsync(BehaviorRun.Text(number), run.Token))];

    /// <summary>Sends numbered messages and cuts at random between them.</summary>
    private static async Task<List<Task<SendOutcome>>> SendOverCutsAsync(BehaviorRun run, ObservedTransport observed, int count)
    {
        var random = new Random(run.Harness.Seed);
        List<Task<SendOutcome>> sends = [];
        while (sends.Count < count)
        {
            var next = Math.Min(count, sends.Count + random.Next(1, 20));
            sends.AddRange(SendAll(run, observed, sends.Count + 1, next));
            if (random.Next(3) == 0)
            {
                await run.UntilAsync(() => sends[^1].IsCompleted, "a send ends");
            }
            else if (random.Next(2) == 0)
            {
                await run.WaitAMomentAsync();
            }

            await run.UntilAsync(() => run.Harness.Connections > 0, "the transport connects again");
            run.Harness.CutAll(run.CutModes[random.Next(run.CutModes.Count)]);
        }

        return sends;
    }
}
