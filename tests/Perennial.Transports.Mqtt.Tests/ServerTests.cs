using Perennial.Tests.Fixtures;
using Perennial.Transports.Mqtt.Tests.Support;
using Perennial.Transports.Tests.Servers;

namespace Perennial.Transports.Mqtt.Tests;

/// <summary>Servers that are restarted, and what they say about sessions.</summary>
public sealed class ServerTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_server_that_keeps_its_sessions_over_a_restart_loses_nothing()
    {
        await using var server = Start();
        server.More.Add("persistence true");
        server.More.Add($"persistence_location {server.DataFolder}");
        await server.StartAsync(Token);
        await using var transport = new MqttTransport(OptionsFor(server));
        await transport.ConnectAsync(Token).Soon();
        await PublishAsync(server, "1");
        await transport.ReadThroughAsync("1");

        await server.StopAsync();
        await server.StartAsync(Token);
        await PublishAsync(server, "2");

        (await transport.ReadThroughAsync("2")).Texts().ShouldBe(["2"]);
        transport.GetMetrics().Gaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_killed_server_that_lost_the_session_is_a_gap()
    {
        await using var server = Start();
        await server.StartAsync(Token);
        await using var transport = new MqttTransport(OptionsFor(server));
        var gap = new TaskCompletionSource<GapEvent>();
        transport.GapDetected += (_, e) => gap.TrySetResult(e);
        await transport.ConnectAsync(Token).Soon();
        await PublishAsync(server, "1");
        await transport.ReadThroughAsync("1");

        await server.KillAsync();
        await server.StartAsync(Token);
        (await gap.Task.Soon()).Reason.ShouldBe(GapReason.AnnouncedByServer);
        await PublishAsync(server, "2");

        (await transport.ReadThroughAsync("2")).Single().FollowsGap.ShouldBeTrue();
        transport.GetMetrics().Gaps.ShouldBe(1);
    }

    [Fact]
    public async Task Another_process_with_the_client_id_goes_on_where_the_first_one_stopped()
    {
        await using var server = Start();
        await server.StartAsync(Token);
        await using (var first = new MqttTransport(OptionsFor(server)))
        {
            await first.ConnectAsync(Token).Soon();
            await PublishAsync(server, "1");
            await first.ReadThroughAsync("1");
            first.ResumePoint.ShouldBeNull();
        }

        await PublishAsync(server, "2");
        await using var second = new MqttTransport(OptionsFor(server));

        (await second.ReadThroughAsync("2")).Texts().ShouldBe(["2"]);
    }

    [Fact]
    public async Task A_will_is_published_when_the_connection_breaks_and_not_at_a_goodbye()
    {
        await using var server = Start();
        await server.StartAsync(Token);
        await using var watcher = await PlainClient.ConnectAsync(server.Port, Token);
        await watcher.SubscribeAsync("wills", Token);
        await using (var leaving = new MqttTransport(WithWill("left")))
        {
            await leaving.ConnectAsync(Token).Soon();
        }

        await using (var proxy = Testing.FaultProxy.Start(server.Address))
        await using (var breaking = new MqttTransport(
            WithWill("broken") with { Endpoint = proxy.Address, Reconnect = new ReconnectOptions { Enabled = false } }))
        {
            await breaking.ConnectAsync(Token).Soon();
            proxy.CutAll();
            await breaking.Completion.Soon();
        }

        while (watcher.Received.Count == 0)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        watcher.Received.ShouldBe(["broken"]);

        MqttTransportOptions WithWill(string name) => OptionsFor(server) with
        {
            ClientId = name,
            Will = new MqttWill { Topic = "wills", Payload = name },
        };
    }

    private static MosquittoServer Start()
    {
        MosquittoServer.Require(MosquittoServer.Program);
        return new MosquittoServer();
    }

    private static MqttTransportOptions OptionsFor(MosquittoServer server) => new()
    {
        Endpoint = new Uri(server.Address, "news/%23"),
        ClientId = "reader",
        Reconnect = Reading.Quickly,
    };

    private static async Task PublishAsync(MosquittoServer server, string text)
    {
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await publisher.PublishAsync("news/today", text, Token).Soon();
    }
}
