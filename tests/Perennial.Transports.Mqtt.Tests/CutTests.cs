using System.Globalization;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Transports.Mqtt.Tests.Support;
using Perennial.Transports.Tests.Servers;

namespace Perennial.Transports.Mqtt.Tests;

/// <summary>Connections that are cut: with a session nothing is lost or repeated, without one every loss is announced.</summary>
public sealed class CutTests
{
    private const int LeastCuts = 24;
    private const int LongestExchange = 400;        // bytes in one direction; more than it has

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Messages of the long exchange: 20,000 on demand.</summary>
    private static int Count =>
        int.Parse(Environment.GetEnvironmentVariable("PERENNIAL_TEST_MESSAGES") ?? "3000", CultureInfo.InvariantCulture);

    [Theory]
    [InlineData(MqttQuality.AtLeastOnce, MqttVersion.V5, false)]
    [InlineData(MqttQuality.AtLeastOnce, MqttVersion.V5, true)]
    [InlineData(MqttQuality.ExactlyOnce, MqttVersion.V5, false)]
    [InlineData(MqttQuality.ExactlyOnce, MqttVersion.V5, true)]
    [InlineData(MqttQuality.AtLeastOnce, MqttVersion.V311, false)]
    [InlineData(MqttQuality.ExactlyOnce, MqttVersion.V311, true)]
    public async Task A_cut_at_any_byte_loses_and_repeats_nothing(MqttQuality quality, MqttVersion version, bool isUpstream)
    {
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        var isBeyondTheEnd = false;
        for (var cut = 0; cut < LongestExchange && !isBeyondTheEnd; cut++)
        {
            var plan = FaultPlan.Cut(cut, cut % 2 == 0 ? CutMode.Reset : CutMode.Close);
            await using var proxy = FaultProxy.Start(
                server.Address, FaultPlan.InOrder(isUpstream ? plan.OnUpstream() : plan, FaultPlan.None));
            var topic = string.Create(CultureInfo.InvariantCulture, $"cut/{cut}");
            await using var transport = new MqttTransport(OptionsFor(proxy.Address, topic, quality) with { Version = version });
            var gaps = 0;
            transport.GapDetected += (_, _) => Interlocked.Increment(ref gaps);
            await transport.ConnectAsync(Token).Soon();
            for (var number = 1; number <= 4; number++)
            {
                await publisher.PublishAsync(topic, $"{number}", Token, quality).Soon();
            }

            var texts = (await transport.ReadThroughAsync("4")).Texts().ToList();

            texts.ShouldBe(["1", "2", "3", "4"], $"after a cut at byte {cut}");
            gaps.ShouldBe(0, $"after a cut at byte {cut}");
            isBeyondTheEnd = proxy.Cuts == 0;
        }

        isBeyondTheEnd.ShouldBeTrue("a cut behind the last byte must have been tried");
    }

    [Theory]
    [InlineData(MqttQuality.AtLeastOnce, MqttVersion.V5)]
    [InlineData(MqttQuality.ExactlyOnce, MqttVersion.V5)]
    [InlineData(MqttQuality.AtLeastOnce, MqttVersion.V311)]
    [InlineData(MqttQuality.ExactlyOnce, MqttVersion.V311)]
    public async Task Many_messages_over_many_cuts_arrive_once_and_in_order(MqttQuality quality, MqttVersion version)
    {
        var faults = new RandomFaults
        {
            Seed = Random.Shared.Next(), MinBytes = 100, MaxBytes = 700, RefuseShare = 0.1, MaxPieceBytes = 700,
        };
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var proxy = FaultProxy.Start(
            server.Address, connection => connection % 2 == 0 ? faults.PlanFor(connection) : faults.PlanFor(connection).OnUpstream());
        await using var transport = new MqttTransport(OptionsFor(proxy.Address, "many", quality) with { Version = version });
        var gaps = 0;
        transport.GapDetected += (_, _) => Interlocked.Increment(ref gaps);
        await transport.ConnectAsync(Token).Soon();
        var reading = transport.ReadThroughAsync("end");

        var last = 0;
        while (last < Count || proxy.Cuts < LeastCuts)
        {
            await publisher.PublishAsync("many", $"{++last}", Token, quality).Soon();
        }

        await publisher.PublishAsync("many", "end", Token, quality).Soon();
        var texts = (await reading).Texts().SkipLast(1).ToList();
        var wrong = texts.Index().FirstOrDefault(static text => !string.Equals(text.Item, $"{text.Index + 1}", StringComparison.Ordinal));
        wrong.Item.ShouldBeNull($"message {wrong.Index + 1} of {texts.Count}, seed {faults.Seed}, {proxy.Cuts} cuts");
        texts.Count.ShouldBe(last);
        gaps.ShouldBe(0);
        TestContext.Current.SendDiagnosticMessage($"{last} messages, {proxy.Cuts} cuts");
    }

    [Fact]
    public async Task Without_acknowledgements_every_loss_is_announced_as_a_gap()
    {
        var faults = new RandomFaults { Seed = Random.Shared.Next(), MinBytes = 200, MaxBytes = 2000 };
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        await using var transport = new MqttTransport(OptionsFor(proxy.Address, "some", MqttQuality.AtMostOnce));
        await transport.ConnectAsync(Token).Soon();
        var reading = transport.ReadThroughAsync("end");

        var last = 0;
        while (proxy.Cuts < 12)
        {
            await publisher.PublishAsync("some", $"{++last}", Token, MqttQuality.AtMostOnce).Soon();
        }

        while (!reading.IsCompleted)
        {
            await publisher.PublishAsync("some", "end", Token, MqttQuality.AtLeastOnce).Soon();      // until one of them arrives
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
        }

        var before = 0;
        foreach (var message in await reading)
        {
            var number = message.Text is "end" ? last + 1 : int.Parse(message.Text, CultureInfo.InvariantCulture);
            (number == before + 1 || message.FollowsGap).ShouldBeTrue($"{number} after {before}, seed {faults.Seed}");
            before = number;
        }

        before.ShouldBe(last + 1);
    }

    [Theory]
    [InlineData(MqttQuality.AtMostOnce)]
    [InlineData(MqttQuality.AtLeastOnce)]
    public async Task Without_a_session_a_loss_before_the_first_message_is_a_gap(MqttQuality quality)
    {
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var proxy = FaultProxy.Start(server.Address);
        await using var transport =
            new MqttTransport(OptionsFor(proxy.Address, "quiet", quality) with { SessionExpiry = TimeSpan.Zero });
        await transport.ConnectAsync(Token).Soon();
        await LoseAsync(transport, proxy);

        await publisher.PublishAsync("quiet", "1", Token).Soon();

        (await transport.ReadThroughAsync("1")).Single().FollowsGap.ShouldBeTrue();
        transport.GetMetrics().Gaps.ShouldBe(1);
    }

    [Fact]
    public async Task A_publisher_with_quality_0_makes_later_losses_gaps()
    {
        await using var server = await StartAsync();
        await using var publisher = await PlainClient.ConnectAsync(server.Port, Token);
        await using var proxy = FaultProxy.Start(server.Address);
        await using var transport = new MqttTransport(OptionsFor(proxy.Address, "mixed", MqttQuality.AtLeastOnce));
        await transport.ConnectAsync(Token).Soon();
        await publisher.PublishAsync("mixed", "1", Token, MqttQuality.AtMostOnce).Soon();
        await publisher.PublishAsync("mixed", "2", Token).Soon();
        await transport.ReadThroughAsync("2");
        await LoseAsync(transport, proxy);

        await publisher.PublishAsync("mixed", "3", Token).Soon();

        (await transport.ReadThroughAsync("3")).Last().FollowsGap.ShouldBeTrue();
    }

    private static async Task LoseAsync(MqttTransport transport, FaultProxy proxy)
    {
        var again = new TaskCompletionSource();
        transport.Connected += (_, connected) =>
        {
            if (connected.Attempt > 0)
            {
                again.TrySetResult();
            }
        };
        proxy.CutAll().ShouldBe(1);
        await again.Task.Soon();
    }

    private static MqttTransportOptions OptionsFor(Uri address, string topic, MqttQuality quality) => new()
    {
        Endpoint = address,
        Topics = [topic],
        Quality = quality,
        ClientId = $"reader of {topic}",
        Reconnect = Reading.Quickly,
    };

    private static async Task<MosquittoServer> StartAsync()
    {
        MosquittoServer.Require(MosquittoServer.Program);
        var server = new MosquittoServer();
        await server.StartAsync(Token);
        return server;
    }
}
