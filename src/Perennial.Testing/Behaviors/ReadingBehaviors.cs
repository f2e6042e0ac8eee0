namespace Perennial.Testing;

/// <summary>How messages arrive and how a stream ends, over a line that holds.</summary>
internal static class ReadingBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("Messages arrive once and in order, and then the stream completes", ArriveAsync),
        new("The first use connects, and nothing before it", ConnectOnFirstUseAsync),
        new("A stream that has ended can be read from its start", ReadLateAsync, static traits => traits.ResumesExactly),
        new("A failure of the producer fails the stream and is not retried", FailAsync, static traits => traits.TellsFailures),
        new("A stop ends the stream as stopped", StopAsync, static traits => traits.CanStop),
    ];

    private static async Task ArriveAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 200);
        await run.CompleteAsync();

        BehaviorRun.RequireNumbers(await observed.ReadToEndAsync(), 1, 200, "Messages read");

        BehaviorRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Closed);
        BehaviorRun.RequireEqual(0, observed.All<ErrorEvent>().Count, "The number of errors");
        BehaviorRun.RequireEqual(0, observed.All<GapEvent>().Count, "The number of gaps");
        await run.UntilNothingStandsAsync();
    }

    private static async Task ConnectOnFirstUseAsync(BehaviorRun run)
    {
        await using var observed = run.Create();
        await run.WaitAMomentAsync();
        BehaviorRun.RequireEqual(TransportState.Idle, observed.Transport.State, "The state of a new transport");
        BehaviorRun.RequireEqual(0, run.Harness.Connections, "The connections of a new transport");

        var reading = observed.ReadThroughAsync("1");
        await observed.WaitForAsync<ConnectedEvent>();
        await run.WriteAsync(1, 1);
        await reading;

        BehaviorRun.RequireEqual(TransportState.Connected, observed.Transport.State, "The state after a message");
        BehaviorRun.Require(observed.Transport.IsConnected, "IsConnected must be true after a message.");
    }

    private static async Task ReadLateAsync(BehaviorRun run)
    {
        await run.WriteAsync(1, 50);
        await run.CompleteAsync();
        await using var observed = run.Create();

        BehaviorRun.RequireNumbers(await observed.ReadToEndAsync(), 1, 50, "Messages read");

        BehaviorRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
    }

    private static async Task FailAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the failure");
        await run.SoonAsync(run.Harness.FailAsync(run.Token), "the server ends the stream as failed");

        var error = await observed.ReadToFailureAsync();

        BehaviorRun.RequireEqual(TransportErrorCode.ServerFailed, error.Code, "The error that a reader gets");
        BehaviorRun.RequireEqual(StreamEndReason.Failed, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Failed);
        BehaviorRun.RequireEqual(0, observed.All<ReconnectingEvent>().Count, "The reconnects after the failure");
        BehaviorRun.RequireEqual(0, observed.All<CompletedEvent>().Count, "The Completed events");
    }

    private static async Task StopAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the stop");

        var rest = observed.ReadToEndAsync();
        await run.SoonAsync(observed.Transport.StopAsync(run.Token), "StopAsync completes");

        await rest;
        BehaviorRun.RequireEqual(StreamEndReason.Stopped, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Closed);
    }
}
