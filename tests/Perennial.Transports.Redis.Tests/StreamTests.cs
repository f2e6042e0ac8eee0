using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Transports.Redis.Tests.Support;
using Perennial.Transports.Tests.Servers;
using StackExchange.Redis;

namespace Perennial.Transports.Redis.Tests;

/// <summary>Streams that are cut, trimmed, deleted and restarted.</summary>
public sealed class StreamTests
{
    private const int Count = 3000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_entries_over_many_cuts_arrive_once_and_in_order()
    {
        await using var server = await RedisServer.StartNewAsync();
        var faults = new RandomFaults
        {
            Seed = Random.Shared.Next(), MinBytes = 8000, MaxBytes = 20_000, RefuseShare = 0.1, MaxPieceBytes = 900,
        };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        await using var transport = new RedisTransport(OptionsFor(proxy.Address));
        var reading = transport.ReadThroughAsync("end");

        var last = 0;
        while (last < Count || proxy.Cuts < 24)
        {
            await server.Database.StreamAddAsync("stream", "data", ++last);
        }

        await server.Database.StreamAddAsync("stream", "data", "end");
        var texts = (await reading).Texts().SkipLast(1).ToList();
        var wrong = texts.Index().FirstOrDefault(static text => !string.Equals(text.Item, $"{text.Index + 1}", StringComparison.Ordinal));
        wrong.Item.ShouldBeNull($"entry {wrong.Index + 1} of {texts.Count}, seed {faults.Seed}, {proxy.Cuts} cuts");
        texts.Count.ShouldBe(last);
        transport.GetMetrics().Gaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_keeps_its_data_over_a_crash_loses_nothing()
    {
        await using var server = await RedisServer.StartNewAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var transport = new RedisTransport(OptionsFor(server.Address));
        await server.Database.StreamAddAsync("stream", "data", 1);
        await transport.ReadThroughAsync("1");

        await server.KillAsync();
        await server.StartAsync(Token);
        await server.ConnectAsync();
        await server.Database.StreamAddAsync("stream", "data", 2);

        (await transport.ReadThroughAsync("2")).Texts().ShouldBe(["2"]);
        transport.GetMetrics().Gaps.ShouldBe(0);
    }

    [Fact]
    public async Task A_server_that_lost_its_data_is_a_gap()
    {
        await using var server = await RedisServer.StartNewAsync();
        await using var transport = new RedisTransport(OptionsFor(server.Address));
        await server.Database.StreamAddAsync("stream", "data", 1);
        await transport.ReadThroughAsync("1");

        await server.KillAsync();
        await server.StartAsync(Token);
        await server.ConnectAsync();
        await server.Database.StreamAddAsync("stream", "data", 2);

        (await transport.ReadThroughAsync("2")).Single().FollowsGap.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1, true)]       // entries 2 and 3 are gone
    [InlineData(3, false)]      // only entry 1 is gone, which was read
    public async Task Entries_that_were_trimmed_unread_are_a_gap(int kept, bool isGap)
    {
        await using var server = await RedisServer.StartNewAsync();
        for (var number = 1; number <= 4; number++)
        {
            await server.Database.StreamAddAsync("stream", "data", number, $"{number}-0");
        }

        await server.Database.StreamTrimAsync("stream", kept);
        await using var transport = new RedisTransport(OptionsFor(server.Address) with { LastEventId = isGap ? "1-0" : "4-0" });
        await server.Database.StreamAddAsync("stream", "data", "end", "5-0");

        (await transport.ReadThroughAsync("end"))[0].FollowsGap.ShouldBe(isGap);
    }

    [Fact]
    public async Task A_start_at_the_end_misses_nothing_after_it()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.Database.StreamAddAsync("stream", "data", "old");
        await using var proxy = FaultProxy.Start(server.Address);
        await using var transport = new RedisTransport(OptionsFor(proxy.Address) with { StartsAtEnd = true });
        await transport.ConnectAsync(Token).Soon();
        while (transport.LastEventId is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(2), TimeProvider.System, Token);
        }

        proxy.Refusing = true;
        proxy.CutAll();
        await server.Database.StreamAddAsync("stream", "data", "new");
        proxy.Refusing = false;

        (await transport.ReadThroughAsync("new")).Texts().ShouldBe(["new"]);
        transport.GetMetrics().Gaps.ShouldBe(0);
    }

    [Fact]
    public async Task Entries_of_other_programs_are_json_and_have_event_types()
    {
        await using var server = await RedisServer.StartNewAsync();
        await server.Database.StreamAddAsync("stream", [new NameValueEntry("a", "1"), new NameValueEntry("b", "é\"")], "7-1");
        await server.Database.StreamAddAsync("stream", [new NameValueEntry("event", "news"), new NameValueEntry("data", "x")], "7-2");
        await using var transport = new RedisTransport(
            new RedisTransportOptions { Endpoint = new Uri(server.Address, "/0?stream=stream") });

        var messages = await transport.ReadThroughAsync("x");

        messages.Select(static message => (message.Id, message.EventType)).ShouldBe([("7-1", "message"), ("7-2", "news")]);
        System.Text.Json.JsonDocument.Parse(messages[0].Data).RootElement.GetProperty("b").GetString().ShouldBe("é\"");
        transport.ResumePoint.ShouldNotBeNull().LastEventId.ShouldBe("7-2");
    }

    private static RedisTransportOptions OptionsFor(Uri address) =>
        new() { Endpoint = address, Stream = "stream", Reconnect = Reading.Quickly };
}
