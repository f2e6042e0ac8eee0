namespace Perennial.Testing;

/// <summary>What happens to a stream whose connections are cut.</summary>
internal static class ResumingBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("A cut loses and repeats nothing", ResumeAsync, static traits => traits.ResumesExactly),
        new("Many cuts at random lose and repeat nothing", ResumeManyTimesAsync, static traits => traits.ResumesExactly),
        new(
            "A cut is announced as a gap where the stream cannot be resumed exactly",
            AnnounceGapAsync,
            static traits => !traits.ResumesExactly),
        new("A cut is no completion", FailAfterCutAsync),
        new(
            "A resume point goes on in another transport",
            ResumeElsewhereAsync,
            static traits => traits is { ResumesExactly: true, ServerKeepsPosition: false }),
    ];

    private static async Task ResumeAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        var last = 0;
        foreach (var how in run.CutModes)
        {
            await run.WriteAsync(last + 1, last + 10);
            BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(10), last + 1, last + 10, "Messages before a cut");
            run.Harness.Refusing = true;
            await observed.LoseConnectionAsync<ReconnectingEvent>(how);
            await run.WriteAsync(last + 11, last + 15);
            run.Harness.Refusing = false;
            BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(5), last + 11, last + 15, "Messages written during a cut");
            last += 15;
        }

        await run.WriteAsync(last + 1, last + 10);
        await run.CompleteAsync();

        BehaviorRun.RequireNumbers(await observed.ReadToEndAsync(), last + 1, last + 10, "Messages after the cuts");
        BehaviorRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
        BehaviorRun.RequireEqual(0, observed.All<GapEvent>().Count, "The number of gaps");
    }

    private static async Task ResumeManyTimesAsync(BehaviorRun run)
    {
        const int Count = 600;
        var random = new Random(run.Harness.Seed);
        await using var observed = run.Create();
        var reading = observed.ReadToEndAsync();
        var cuts = 0;
        for (var number = 1; number <= Count; number++)
        {
            await run.WriteAsync(number, number);
            if (random.Next(12) == 0)
            {
                await run.UntilAsync(() => run.Harness.Connections > 0, "the transport connects again");
                cuts += run.Harness.CutAll(run.CutModes[random.Next(run.CutModes.Count)]);
            }
        }

        await run.CompleteAsync();

        BehaviorRun.RequireNumbers(await reading, 1, Count, $"Messages read over {BehaviorRun.Text(cuts)} cuts");
        BehaviorRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
        BehaviorRun.RequireEqual(0, observed.All<GapEvent>().Count, "The number of gaps");
        BehaviorRun.Require(cuts > 0, "The harness cut no connection.");
    }

    private static async Task AnnounceGapAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the cut");

        await observed.LoseConnectionAsync<ConnectedEvent>(CutMode.Reset);
        await run.WriteAsync(4, 4);
        var messages = await observed.ReadThroughAsync("4");

        await observed.WaitForAsync<GapEvent>();
        // A cut may hit the connection that replaced the one it was meant for. Then it is a second gap, with an event and a mark of its
        // own.
        var marked = messages.Count(static message => message.FollowsGap);
        BehaviorRun.Require(messages[0].FollowsGap, "The first message after the cut must have FollowsGap.");
        await observed.WaitForAsync<GapEvent>(marked);
    }

    private static async Task FailAfterCutAsync(BehaviorRun run)
    {
        await using var first = await run.ConnectAsync(Few);
        await using var second = run.CutModes.Count > 1 ? await run.ConnectAsync(Few) : null;
        ObservedTransport[] all = second is null ? [first] : [first, second];
        await run.WriteAsync(1, 1);
        foreach (var observed in all)
        {
            await observed.ReadAsync(1);
        }

        run.Harness.Refusing = true;
        run.Harness.CutAll(run.CutModes[^1]);

        foreach (var observed in all)
        {
            var error = await observed.ReadToFailureAsync();
            BehaviorRun.RequireEqual(TransportErrorCode.AttemptsExhausted, error.Code, "The error that a reader gets");
            BehaviorRun.RequireEqual(StreamEndReason.Failed, (await observed.EndAsync()).Reason, "The end of the stream");
            BehaviorRun.RequireEqual(0, observed.All<CompletedEvent>().Count, "The Completed events");
        }
    }

    private static async Task ResumeElsewhereAsync(BehaviorRun run)
    {
        string saved;
        await run.WriteAsync(1, 10);
        await using (var before = run.Create())
        {
            BehaviorRun.RequireNumbers(await before.ReadTextsAsync(5), 1, 5, "Messages read before");
            var point = before.Transport.ResumePoint;
            BehaviorRun.Require(
                point is not null,
                "ResumePoint must not be null on a stream that resumes exactly; see TransportConnection.GetResumeEndpoint.");
            saved = point!.Serialize();
        }

        await run.CompleteAsync();
        await using var after = run.Create(new TransportSetup { ResumeFrom = ResumePoint.Parse(saved) });

        BehaviorRun.RequireNumbers(await after.ReadToEndAsync(), 6, 10, "Messages read by the other transport");
    }

    private static TransportSetup Few { get; } =
        new() { Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1), MaxAttempts = 1 } };
}
