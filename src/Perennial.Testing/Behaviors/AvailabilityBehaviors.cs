namespace Perennial.Testing;

/// <summary>Servers that are absent, come back or fall silent.</summary>
internal static class AvailabilityBehaviors
{
    public static IReadOnlyList<TransportBehavior> All { get; } =
    [
        new("An absent server gives transient errors until the attempts are exhausted", ExhaustAttemptsAsync),
        new("A transport recovers when the server comes back", RecoverAsync),
        new("A silent peer counts as lost after the idle timeout", DetectSilenceAsync),
    ];

    private static async Task ExhaustAttemptsAsync(BehaviorRun run)
    {
        run.Harness.Refusing = true;
        await using var observed = run.Create(new TransportSetup
        {
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1), Jitter = false, MaxAttempts = 2 },
        });

        var error = await run.FailsAsync<TransportException>(observed.Transport.ConnectAsync(run.Token), "ConnectAsync without a server");

        BehaviorRun.RequireEqual(TransportErrorCode.AttemptsExhausted, error.Code, "The error of ConnectAsync");
        await observed.WaitForAsync<ClosedEvent>();
        BehaviorRun.RequireEqual(2, observed.All<ReconnectingEvent>().Count, "The reconnects");
        var recoverable = observed.All<ErrorEvent>().Where(static e => e.IsRecoverable).ToList();
        BehaviorRun.RequireEqual(2, recoverable.Count, "The recoverable errors");
        BehaviorRun.Require(recoverable.All(static e => e.Exception.IsTransient), "The errors of an absent server must be transient.");
        BehaviorRun.RequireEqual(TransportState.Failed, observed.Transport.State, "The state after the attempts");

        run.Harness.Refusing = false;
        await run.SoonAsync(observed.Transport.ConnectAsync(run.Token), "ConnectAsync completes once the server is there");
    }

    private static async Task RecoverAsync(BehaviorRun run)
    {
        run.Harness.Refusing = true;
        await using var observed = run.Create();
        var connecting = observed.Transport.ConnectAsync(run.Token);
        await observed.WaitForAsync<ReconnectingEvent>(2);
        BehaviorRun.RequireEqual(TransportState.Reconnecting, observed.Transport.State, "The state while the server is absent");

        run.Harness.Refusing = false;

        await run.SoonAsync(connecting, "ConnectAsync completes");
        await run.WriteAsync(1, 3);
        BehaviorRun.RequireNumbers(await observed.ReadTextsAsync(3), 1, 3, "Messages after the recovery");
    }

    private static async Task DetectSilenceAsync(BehaviorRun run)
    {
        var clock = new ManualTimeProvider();
        await using var observed = await run.ConnectAsync(new TransportSetup
        {
            Services = new TransportServices { Time = clock },
            Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false, MaxAttempts = ReconnectOptions.Unlimited },
            IdleTimeout = TimeSpan.FromMinutes(1),
            ConnectTimeout = TimeSpan.FromHours(1),     // longer than the clock is advanced
        });
        await run.WriteAsync(1, 1);
        await observed.ReadAsync(1);

        run.Harness.Silent = true;
        await run.UntilAsync(
            () => observed.All<ErrorEvent>().Any(static e => e.Code == TransportErrorCode.IdleTimeout),
            "an error says IdleTimeout",
            () => clock.Advance(TimeSpan.FromSeconds(5)));
        BehaviorRun.Require(observed.All<ErrorEvent>().All(static e => e.IsRecoverable), "A silent peer is worth another attempt.");

        run.Harness.Silent = false;
        await run.UntilAsync(
            () => observed.All<ConnectedEvent>().Count > 1, "the transport connects again", () => clock.Advance(TimeSpan.FromSeconds(1)));
        await run.WriteAsync(2, 2);
        await observed.ReadThroughAsync("2");
    }
}
