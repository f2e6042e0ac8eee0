namespace Perennial.Testing;

/// <summary>What closing, disposing and cancelling leave behind.</summary>
internal static class LeavingBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("Closing ends the stream as closed and leaves nothing on the server", CloseAsync),
        new("Disposing leaves nothing on the server and can be repeated", DisposeAsync),
        new("Disposing while connecting ends the attempt", DisposeWhileConnectingAsync),
        new("A closed transport can be started again", StartAgainAsync),
        new("Cancelling a reader leaves the transport connected", CancelReaderAsync),
    ];

    private static async Task CloseAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 1);
        await observed.ReadAsync(1);
        var reading = observed.ReadToEndAsync();

        await run.SoonAsync(observed.Transport.CloseAsync(run.Token), "CloseAsync completes");

        BehaviorRun.RequireEqual(0, (await reading).Count, "The messages read after the close");
        BehaviorRun.RequireEqual(StreamEndReason.Closed, (await observed.EndAsync()).Reason, "The end of the stream");
        BehaviorRun.RequireEqual(TransportState.Closed, observed.Transport.State, "The state after CloseAsync");
        await run.UntilNothingStandsAsync();
        await run.SoonAsync(observed.Transport.CloseAsync(run.Token), "a second CloseAsync completes");
        BehaviorRun.RequireEqual(0, observed.All<CompletedEvent>().Count, "The Completed events");
    }

    private static async Task DisposeAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 5);
        await observed.ReadAsync(1);

        await run.SoonAsync(
            Task.WhenAll(observed.DisposeAsync().AsTask(), observed.DisposeAsync().AsTask()), "DisposeAsync completes");

        BehaviorRun.RequireEqual(TransportState.Closed, observed.Transport.State, "The state after DisposeAsync");
        await run.UntilNothingStandsAsync();
        await run.SoonAsync(observed.DisposeAsync().AsTask(), "another DisposeAsync completes");
        await run.FailsAsync<ObjectDisposedException>(observed.Transport.ConnectAsync(run.Token), "ConnectAsync after DisposeAsync");
    }

    private static async Task DisposeWhileConnectingAsync(BehaviorRun run)
    {
        run.Harness.Silent = true;
        await using var observed = run.Create();
        var connecting = observed.Transport.ConnectAsync(run.Token);
        await observed.WaitForAsync<ConnectingEvent>();
        await run.WaitAMomentAsync();

        await run.SoonAsync(observed.DisposeAsync().AsTask(), "DisposeAsync completes while connecting");

        await run.FailsAsync<Exception>(connecting, "ConnectAsync of a transport that was disposed meanwhile");
        run.Harness.Silent = false;
        await run.UntilNothingStandsAsync();
    }

    private static async Task StartAgainAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 3);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages before the close");
        await run.SoonAsync(observed.Transport.CloseAsync(run.Token), "CloseAsync completes");
        await run.UntilNothingStandsAsync();

        await run.SoonAsync(observed.Transport.ConnectAsync(run.Token), "ConnectAsync after CloseAsync completes");
        await run.WriteAsync(4, 5);
        var texts = (await observed.ReadThroughAsync("5")).Select(static message => message.Text).ToList();

        BehaviorRun.RequireEqual(TransportState.Connected, observed.Transport.State, "The state after the second start");
        if (run.Traits.ResumesExactly)
        {
            BehaviorRun.RequireNumbers(texts, 4, 5, "Messages after the second start");
        }
    }

    private static async Task CancelReaderAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(run.Token);
        var reading = ReadOneAsync(observed.Transport, cancellation.Token);
        await run.WaitAMomentAsync();

        await cancellation.CancelAsync();

        await run.FailsAsync<OperationCanceledException>(reading, "Reading with a cancelled token");
        await run.WriteAsync(1, 1);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(1), 1, 1, "Messages of the next reader");
        BehaviorRun.RequireEqual(TransportState.Connected, observed.Transport.State, "The state after a reader was cancelled");
        BehaviorRun.RequireEqual(1, observed.All<ConnectedEvent>().Count, "The connections made");
    }

    private static async Task ReadOneAsync(Transport transport, CancellationToken cancellationToken)
    {
        await foreach (var _ in transport.ReadAllAsync(cancellationToken))
        {
            return;
        }
    }
}
