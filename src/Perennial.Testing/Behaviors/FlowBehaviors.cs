namespace Perennial.Testing;

/// <summary>Backpressure, pauses and the limit of one message.</summary>
internal static class FlowBehaviors
{
    private const int Limit = 64 * 1024;

    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("A slow reader holds back the sender, within the buffer, and loses nothing", HoldBackAsync),
        new("A pause holds messages back, and Resume hands them over", PauseAsync),
        new("A message of the largest size arrives", ArriveAtLimitAsync),
        new("A message beyond the largest size ends the stream and is not retried", RefuseBeyondLimitAsync),
    ];

    private static async Task HoldBackAsync(BehaviorRun run)
    {
        const int Capacity = 4;
        const int Count = 2000;
        await using var observed = await run.ConnectAsync(new TransportSetup { Buffer = new BufferOptions { Capacity = Capacity } });
        var writing = run.WriteAsync(1, Count);
        await run.UntilAsync(() => observed.Transport.GetMetrics().BufferSize == Capacity, "the buffer fills");
        await run.WaitAMomentAsync();
        var received = observed.Transport.GetMetrics().MessagesReceived;
        BehaviorRun.Require(
            received == Capacity, $"With a buffer of {BehaviorRun.Text(Capacity)} and no reader, {received} messages were handed over.");
        await observed.WaitForAsync<BackpressureEvent>();

        List<string> texts = [];
        while (texts.Count < Count)
        {
            texts.AddRange(await observed.ReadTextsAsync(Math.Min(100, Count - texts.Count)));
            var size = observed.Transport.GetMetrics().BufferSize;
            BehaviorRun.Require(size <= Capacity, $"A buffer of {BehaviorRun.Text(Capacity)} holds {BehaviorRun.Text(size)} messages.");
        }

        await writing;
        BehaviorRun.RequireNumbers(texts, 1, Count, "Messages read slowly");
        BehaviorRun.RequireEqual(0, observed.Transport.GetMetrics().Dropped, "The messages dropped");
    }

    private static async Task PauseAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 1);
        await observed.ReadAsync(1);
        observed.Transport.Pause();
        await run.WriteAsync(2, 20);
        var reading = observed.ReadTextsAsync(19);
        await run.WaitAMomentAsync();
        BehaviorRun.Require(!reading.IsCompleted, "Messages were handed over during a pause.");

        observed.Transport.Resume();

        BehaviorRun.RequireNumbers(await reading, 2, 20, "Messages read after a pause");
        BehaviorRun.RequireEqual(0, observed.All<ReconnectingEvent>().Count, "The reconnects");
    }

    private static async Task ArriveAtLimitAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync(new TransportSetup { MaxMessageBytes = Limit });
        var text = new string('x', Limit - run.Traits.FramingBytes);
        await run.SoonAsync(run.Harness.WriteAsync(text, run.Token), "the server takes a large message to write");
        await run.WriteAsync(1, 1);

        var texts = await observed.ReadTextsAsync(2);

        BehaviorRun.Require(
            string.Equals(texts[0], text, StringComparison.Ordinal),
            $"The large message arrived with {BehaviorRun.Text(texts[0].Length)} characters in place of {BehaviorRun.Text(text.Length)}.");
        BehaviorRun.RequireEqual("1", texts[1], "The message after it");
    }

    private static async Task RefuseBeyondLimitAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync(new TransportSetup { MaxMessageBytes = Limit });
        await run.WriteAsync(1, 1);
        await observed.ReadAsync(1);
        await run.SoonAsync(run.Harness.WriteAsync(new string('x', Limit + 1), run.Token), "the server takes a large message to write");

        var error = await observed.ReadToFailureAsync();

        BehaviorRun.RequireEqual(TransportErrorCode.MessageTooLarge, error.Code, "The error that a reader gets");
        BehaviorRun.RequireEqual(StreamEndReason.Failed, (await observed.EndAsync()).Reason, "The end of the stream");
        BehaviorRun.RequireEqual(0, observed.All<ReconnectingEvent>().Count, "The reconnects");
        await run.UntilNothingStandsAsync();
    }
}
