using Perennial.Management;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>A verdict with a reason, not only "connected".</summary>
public class HealthTests
{
    [Fact]
    public async Task A_transport_is_judged_by_all_that_is_known_of_it()
    {
        var time = new ManualTimeProvider();
        await using var manager = new TransportManager(Managed.Options, new TransportServices { Time = time });
        var mayConnect = false;
        var transport = new InMemoryTransport(
            new InMemoryTransportOptions { Buffer = new BufferOptions { Capacity = 10 }, Reconnect = new ReconnectOptions { Jitter = false, MaxAttempts = 3 } },
            manager.Services,
            (self, _, _) => mayConnect
                ? new ValueTask<TransportConnection>(self.NewConnection())
                : throw new TransportException(TransportErrorCode.ConnectFailed, "Refused by the test.", isTransient: true));
        manager.Register(transport);
        Health().ShouldBe((TransportHealthStatus.Healthy, "Not started."));

        var connecting = transport.ConnectAsync();
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(1)).Soon();
        Health().ShouldBe((TransportHealthStatus.Degraded, "Reconnecting after ConnectFailed."));
        time.Advance(TimeSpan.FromSeconds(1));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(2)).Soon();
        time.Advance(TimeSpan.FromSeconds(2));
        await time.WaitForTimerAsync(TimeSpan.FromSeconds(4)).Soon();
        Health().ShouldBe((TransportHealthStatus.Unhealthy, "3 consecutive attempts failed, the last with ConnectFailed."));

        mayConnect = true;
        time.Advance(TimeSpan.FromSeconds(4));
        await connecting.Soon();
        Health().ShouldBe((TransportHealthStatus.Healthy, "Connected."));
        manager.GetHealth(transport.Id)!.ConsecutiveErrors.ShouldBe(3);
        time.Advance(TimeSpan.FromSeconds(10));
        manager.GetHealth(transport.Id)!.ConsecutiveErrors.ShouldBe(0);

        transport.Connection.Script(static batch =>
        {
            batch.BytesReceived = 5;
            return ReadOutcome.More;
        });
        await Patience.Until(() => transport.GetMetrics().LastHeartbeatAt is not null, "a heartbeat");
        time.Advance(TimeSpan.FromSeconds(2));
        transport.Connection.Say([.. EventStreams.Numbers(1, 8)]);
        await Patience.Until(() => transport.GetMetrics().BufferSize == 8, "messages wait");
        time.Advance(TimeSpan.FromSeconds(1));

        var health = manager.GetHealth(transport.Id)!;
        (health.Status, health.Reason).ShouldBe((TransportHealthStatus.Degraded, "The messages have no reader: 8 are waiting."));
        health.State.ShouldBe(TransportState.Connected);
        health.Uptime.ShouldBe(TimeSpan.FromSeconds(13));
        health.LastHeartbeatAt.ShouldBe(time.GetUtcNow() - TimeSpan.FromSeconds(3));
        health.LastActivityAt.ShouldBe(time.GetUtcNow() - TimeSpan.FromSeconds(1));
        health.Breaker.ShouldBe(BreakerState.Closed);

        transport.Connection.Break(isTransient: false);
        await transport.Completion.Soon();
        Health().ShouldBe((TransportHealthStatus.Unhealthy, "Failed: ConnectionLost."));
        await transport.CloseAsync().Soon();
        manager.GetHealth("nobody").ShouldBeNull();

        (TransportHealthStatus, string) Health()
        {
            var now = manager.GetHealth(transport.Id)!;
            return (now.Status, now.Reason);
        }
    }

    [Fact]
    public async Task A_stream_that_ended_in_good_order_is_well()
    {
        await using var manager = new TransportManager(Managed.Options);
        var transport = manager.CreateMemory();
        await transport.ConnectAsync().Soon();
        transport.Connection.Finish();
        await transport.Completion.Soon();

        manager.GetHealth(transport.Id)!.Status.ShouldBe(TransportHealthStatus.Healthy);
    }

    [Fact]
    public async Task A_check_is_announced_and_so_is_what_became_unhealthy_once()
    {
        await using var manager = new TransportManager(Managed.Options);
        var unhealthy = new List<string>();
        var checks = new List<ManagerHealth>();
        manager.Events.Unhealthy += (_, e) => unhealthy.Add(e.Id);
        manager.Events.HealthChecked += (_, e) => checks.Add(e);
        var transports = Enumerable.Range(0, 4).Select(_ => manager.CreateMemory()).ToList();
        manager.CheckHealth().Status.ShouldBe(TransportHealthStatus.Healthy);

        await FailAsync(transports[0]);
        manager.CheckHealth().Status.ShouldBe(TransportHealthStatus.Degraded);
        manager.CheckHealth().Reason.ShouldBe("Of 4 transports 1 are unhealthy and 0 degraded.");
        await FailAsync(transports[1]);
        manager.CheckHealth().Status.ShouldBe(TransportHealthStatus.Unhealthy);

        unhealthy.ShouldBe([transports[0].Id, transports[1].Id]);
        checks.Select(static check => check.Status).ShouldBe(
            [TransportHealthStatus.Healthy, TransportHealthStatus.Degraded, TransportHealthStatus.Degraded, TransportHealthStatus.Unhealthy]);

        static async Task FailAsync(InMemoryTransport transport)
        {
            await transport.ConnectAsync().Soon();
            transport.Connection.Break(isTransient: false);
            await transport.Completion.Soon();
        }
    }
}
