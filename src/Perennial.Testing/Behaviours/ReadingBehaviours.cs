namespace Perennial.Testing;

/// <summary>How messages arrive and how a stream ends, over a line that holds.</summary>
internal static class ReadingBehaviours
{
    public static IReadOnlyList<TransportBehaviour> All { get; } =
    [
        new("Messages arrive once and in order, and then the stream completes", ArriveAsync),
        new("The first use connects, and nothing before it", ConnectOnFirstUseAsync),
        new("A stream that has ended can be read from its start", ReadLateAsync, static traits => traits.ResumesExactly),
        new("A failure of the producer fails the stream and is not retried", FailAsync, static traits => traits.TellsFailures),
        new("A stop ends the stream as stopped", StopAsync, static traits => traits.CanStop),
    ];

    private static async Task ArriveAsync(BehaviourRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 200);
        await run.CompleteAsync();

        BehaviourRun.RequireNumbers(await observed.ReadToEndAsync(), 1, 200, "Messages read");

        BehaviourRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Closed);
        BehaviourRun.RequireEqual(0, observed.All<ErrorEvent>().Count, "The number of errors");
        BehaviourRun.RequireEqual(0, observed.All<GapEvent>().Count, "The number of gaps");
        await run.UntilNothingStandsAsync();
    }

    private static async Task ConnectOnFirstUseAsync(BehaviourRun run)
    {
        await using var observed = run.Create();
        await run.WaitAMomentAsync();
        BehaviourRun.RequireEqual(TransportState.Idle, observed.Transport.State, "The state of a new transport");
        BehaviourRun.RequireEqual(0, run.Harness.Connections, "The connections of a new transport");

        var reading = observed.ReadThroughAsync("1");
        await observed.WaitForAsync<ConnectedEvent>();
        await run.WriteAsync(1, 1);
        await reading;

        BehaviourRun.RequireEqual(TransportState.Connected, observed.Transport.State, "The state after a message");
        BehaviourRun.Require(observed.Transport.IsConnected, "IsConnected must be true after a message.");
    }

    private static async Task ReadLateAsync(BehaviourRun run)
    {
        await run.WriteAsync(1, 50);
        await run.CompleteAsync();
        await using var observed = run.Create();

        BehaviourRun.RequireNumbers(await observed.ReadToEndAsync(), 1, 50, "Messages read");

        BehaviourRun.RequireEqual(StreamEndReason.Completed, (await observed.EndAsync()).Reason, "The end of the stream");
    }

    private static async Task FailAsync(BehaviourRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviourRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the failure");
        await run.SoonAsync(run.Harness.FailAsync(run.Token), "the server ends the stream as failed");

        var error = await observed.ReadToFailureAsync();

        BehaviourRun.RequireEqual(TransportErrorCode.ServerFailed, error.Code, "The error that a reader gets");
        BehaviourRun.RequireEqual(StreamEndReason.Failed, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Failed);
        BehaviourRun.RequireEqual(0, observed.All<ReconnectingEvent>().Count, "The reconnects after the failure");
        BehaviourRun.RequireEqual(0, observed.All<CompletedEvent>().Count, "The Completed events");
    }

    private static async Task StopAsync(BehaviourRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviourRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the stop");

        var rest = observed.ReadToEndAsync();
        await run.SoonAsync(observed.Transport.StopAsync(run.Token), "StopAsync completes");

        await rest;
        BehaviourRun.RequireEqual(StreamEndReason.Stopped, (await observed.EndAsync()).Reason, "The end of the stream");
        await observed.UntilStateAsync(TransportState.Closed);
    }
}
