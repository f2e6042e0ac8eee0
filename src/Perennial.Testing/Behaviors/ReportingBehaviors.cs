namespace Perennial.Testing;

/// <summary>What events and metrics say.</summary>
internal static class ReportingBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("Events come one at a time and in order", AnnounceInOrderAsync),
        new("Metrics count what happened", CountAsync),
    ];

    private static async Task AnnounceInOrderAsync(BehaviorRun run)
    {
        await using var observed = run.Create();
        observed.NoteMessages();
        await run.SoonAsync(observed.Transport.ConnectAsync(run.Token), "ConnectAsync completes");
        await run.WriteAsync(1, 3);
        await observed.WaitForAsync<StreamMessage>(3);
        await observed.LoseConnectionAsync<ConnectedEvent>(CutMode.Reset);
        await run.WriteAsync(4, 5);
        await run.UntilAsync(() => observed.All<StreamMessage>().Any(static message => message.Text is "5"), "message 5 is raised");
        await run.CompleteAsync();
        await observed.WaitForAsync<ClosedEvent>();

        var names = string.Join(" ", observed.Events.Where(static e => e is not (BackpressureEvent or GapEvent)).Select(NameOf));
        BehaviorRun.Require(!observed.HasOverlapped, "Two events were raised at a time.");
        BehaviorRun.Require(
            names.StartsWith("connecting connected 1 2 3 error reconnecting connecting ", StringComparison.Ordinal),
            $"The events before and after a cut came as: {names}");
        BehaviorRun.Require(names.EndsWith(" 5 completed closed", StringComparison.Ordinal), $"The events at the end came as: {names}");
        BehaviorRun.RequireEqual(1, observed.All<ClosedEvent>().Count, "The Closed events");
        if (run.Traits.ResumesExactly)
        {
            BehaviorRun.RequireNumbers([.. observed.All<StreamMessage>().Select(static message => message.Text)], 1, 5, "Messages raised");
        }
    }

    private static async Task CountAsync(BehaviorRun run)
    {
        await using var observed = await run.ConnectAsync();
        await run.WriteAsync(1, 10);
        await observed.ReadAsync(10);
        if (run.Traits.Sends != SendPromise.None)
        {
            await run.SoonAsync(observed.Transport.SendAsync("hello", run.Token), "a send completes");
        }

        await observed.LoseConnectionAsync<ConnectedEvent>(CutMode.Reset);
        await run.WriteAsync(11, 11);
        await observed.ReadThroughAsync("11");

        var metrics = observed.Transport.GetMetrics();
        BehaviorRun.RequireEqual(observed.Transport.Id, metrics.Id, "Id");
        BehaviorRun.RequireEqual(observed.Transport.Kind, metrics.Kind, "Kind");
        BehaviorRun.RequireEqual(TransportState.Connected, metrics.State, "State");
        BehaviorRun.Require(metrics.ConnectedAt is not null, "ConnectedAt must have a value.");
        BehaviorRun.Require(metrics.MessagesReceived >= 11, $"MessagesReceived: expected 11 or more, was {metrics.MessagesReceived}.");
        BehaviorRun.Require(
            !run.Traits.ResumesExactly || metrics.MessagesReceived == 11,
            $"MessagesReceived: expected 11, was {metrics.MessagesReceived}.");
        BehaviorRun.Require(metrics.BytesReceived > 0, "BytesReceived must be above 0; see MessageBatch.BytesReceived.");
        BehaviorRun.Require(metrics.ReconnectAttempts >= 1, "ReconnectAttempts must be 1 or more after a cut.");
        BehaviorRun.Require(metrics.Errors >= 1, "Errors must be 1 or more after a cut.");
        BehaviorRun.RequireEqual(0, metrics.Dropped, "Dropped");
        BehaviorRun.Require(
            run.Traits.ResumesExactly ? metrics is { Resumes: >= 1, Gaps: 0 } : metrics.Gaps == 1,
            $"After a cut Resumes was {metrics.Resumes} and Gaps {metrics.Gaps}.");
        if (run.Traits.Sends != SendPromise.None)
        {
            BehaviorRun.RequireEqual(1, metrics.MessagesSent, "MessagesSent");
            BehaviorRun.RequireEqual("hello".Length, metrics.BytesSent, "BytesSent");
        }
    }

    private static string NameOf(object happened) => happened switch
    {
        ConnectingEvent => "connecting",
        ConnectedEvent => "connected",
        ReconnectingEvent => "reconnecting",
        ErrorEvent => "error",
        CompletedEvent => "completed",
        ClosedEvent => "closed",
        StreamMessage message => message.Text,
        _ => happened.GetType().Name,
    };
}
