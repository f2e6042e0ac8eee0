using Perennial.Management;
using Perennial.Tests.Fixtures;
using Perennial.Transports.Mqtt.Tests.Support;
using Perennial.Transports.Tests.Servers;

namespace Perennial.Transports.Mqtt.Tests;

/// <summary>What a message says, and which options are accepted.</summary>
public sealed class MessageTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_event_type_is_the_topic_and_user_properties_replace_it()
    {
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var transport = new MqttTransport(new MqttTransportOptions
        {
            Endpoint = server.Address,
            Topics = ["rooms/+/temperature", "alarms/#"],
            IdProperty = "id",
            EventTypeProperty = "type",
        });
        await transport.ConnectAsync(Token).Soon();

        await publisher.PublishAsync("rooms/7/temperature", "21", Token).Soon();
        await publisher.PublishAsync("rooms/7/humidity", "80", Token).Soon();
        await publisher.PublishAsync("alarms/a/b", "fire", Token, MqttQuality.AtLeastOnce, ("type", "alarm"), ("id", "é1")).Soon();
        var messages = await transport.ReadThroughAsync("fire");

        messages.Select(static message => (message.EventType, message.Id, message.Text))
            .ShouldBe([("rooms/7/temperature", null, "21"), ("alarm", "é1", "fire")]);
        transport.LastEventId.ShouldBe("é1");
    }

    [Fact]
    public async Task A_message_whose_id_was_read_lately_is_dropped()
    {
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var transport = new MqttTransport(
            new MqttTransportOptions { Endpoint = new Uri(server.Address, "news"), IdProperty = "id" });
        await transport.ConnectAsync(Token).Soon();

        await publisher.PublishAsync("news", "one", Token, MqttQuality.ExactlyOnce, ("id", "1")).Soon();
        await publisher.PublishAsync("news", "one again", Token, MqttQuality.ExactlyOnce, ("id", "1")).Soon();
        await publisher.PublishAsync("news", "two", Token, MqttQuality.ExactlyOnce, ("id", "2")).Soon();

        (await transport.ReadThroughAsync("two")).Texts().ShouldBe(["one", "two"]);
    }

    [Fact]
    public async Task A_manager_creates_it_by_its_kind()
    {
        await using var server = await StartAsync();
        await using var manager = new TransportManager(new TransportManagerOptions { Kinds = TransportKinds.Default.WithMqtt() });
        var transport = manager.Create("mqtt", new MqttTransportOptions { Endpoint = server.Address, SendTopic = "news" });

        (await transport.SendAsync("hello", Token).Soon()).ShouldBe(SendOutcome.Acknowledged);

        transport.Kind.ShouldBe("mqtt");
    }

    [Fact]
    public void Options_that_mean_nothing_are_refused_by_name()
    {
        var options = new MqttTransportOptions { Endpoint = new Uri("mqtt://host/a") };

        Refused(options with { Endpoint = new Uri("http://host/") }).ShouldContain("mqtt://, mqtts://, ws://, wss://");
        Refused(options with { Topics = ["a/b#"] }).ShouldContain("Topics");
        Refused(options with { Topics = ["a/#/b"] }).ShouldContain("Topics");
        Refused(options with { Topics = ["a+"] }).ShouldContain("Topics");
        Refused(options with { SendTopic = "a/+" }).ShouldContain("SendTopic");
        Refused(options with { LastEventId = "1" }).ShouldContain("LastEventId");
        Refused(options with { ResumeFrom = new ResumePoint(new Uri("mqtt://host/a")) }).ShouldContain("ResumeFrom");
        Refused(options with { ReceiveMaximum = 0 }).ShouldContain("ReceiveMaximum");
        Refused(options with { KeepAlive = TimeSpan.Zero }).ShouldContain("KeepAlive");
        Refused(options with { SessionExpiry = TimeSpan.FromSeconds(-1) }).ShouldContain("SessionExpiry");
        Refused(options with { Version = MqttVersion.V311, IdProperty = "id" }).ShouldContain("IdProperty");
        Refused(options with { Will = new MqttWill() }).ShouldContain("Will");
        Refused(options with { ClientId = "" }).ShouldContain("ClientId");
    }

    private static string Refused(MqttTransportOptions options) => Should.Throw<ArgumentException>(options.Validate).Message;

    private static async Task<MosquittoServer> StartAsync()
    {
        MosquittoServer.Require(MosquittoServer.Program);
        var server = new MosquittoServer();
        await server.StartAsync(Token);
        return server;
    }
}
