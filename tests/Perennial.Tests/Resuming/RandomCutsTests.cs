using System.Net;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Resuming;

/// <summary>
/// A numbered stream over a line that keeps breaking: every event exactly once, in order, over every protocol and encoding.
/// </summary>
public class RandomCutsTests
{
    private const int Count = 2000;

    [Theory]
    [InlineData(1, "")]
    [InlineData(1, "gzip")]
    [InlineData(1, "br")]
    [InlineData(2, "")]
    [InlineData(2, "gzip")]
    [InlineData(2, "br")]
    public async Task Every_event_arrives_exactly_once_and_in_order(int http, string encoding)
    {
        var seed = NewSeed();
        var faults = new RandomFaults { Seed = seed, MinBytes = 100, MaxBytes = 20_000, RefuseShare = 0.1, MaxPieceBytes = 3000 };
        await using var feed = await NumberedFeed.StartAsync(Count, http == 1 ? HttpProtocols.Http1 : HttpProtocols.Http2, encoding);
        await using var proxy = FaultProxy.Start(feed.Address, faults.PlanFor);
        await using var probe = For(proxy, http);

        ShouldBeTheWholeFeed(await probe.ReadToEndAsync(), seed);

        probe.All<GapEvent>().ShouldBeEmpty();
        proxy.Cuts.ShouldBeGreaterThan(5);
    }

    [Fact]
    public async Task Every_event_arrives_exactly_once_although_the_line_stalls_too()
    {
        var seed = NewSeed();
        var faults = new RandomFaults { Seed = seed, MinBytes = 1000, MaxBytes = 60_000 };
        await using var feed = await NumberedFeed.StartAsync(Count, HttpProtocols.Http1, "");
        await using var proxy =
            FaultProxy.Start(feed.Address, i => i % 2 == 0 ? FaultPlan.Stall(5_000 + (i * 7919 % 30_000)) : faults.PlanFor(i));
        await using var probe = For(proxy, http: 1, idleTimeout: TimeSpan.FromMilliseconds(100));

        ShouldBeTheWholeFeed(await probe.ReadToEndAsync(), seed);

        probe.All<ErrorEvent>().ShouldContain(error => error.Code == TransportErrorCode.IdleTimeout);
    }

    [Theory]
    [InlineData(CutMode.Reset)]
    [InlineData(CutMode.Close)]
    public async Task An_http2_connection_may_break_at_any_byte_of_its_beginning(CutMode how)
    {
        await using var feed = await NumberedFeed.StartAsync(count: 3, HttpProtocols.Http2, "");
        for (var cut = 0; cut < 150; cut++)
        {
            await using var proxy = FaultProxy.Start(feed.Address, FaultPlan.InOrder(FaultPlan.Cut(cut, how), FaultPlan.None));
            await using var probe = For(proxy, http: 2);

            (await probe.ReadTextsAsync()).Count.ShouldBe(3, $"cut after byte {cut}");
        }
    }

    [Fact]
    public async Task An_http2_connection_that_went_dead_is_not_used_for_the_next_attempt_for_ever()
    {
        await using var feed = await NumberedFeed.StartAsync(Count, HttpProtocols.Http2, "");
        await using var proxy = FaultProxy.Start(feed.Address, FaultPlan.InOrder(FaultPlan.Stall(50_000), FaultPlan.None));
        await using var probe = For(proxy, http: 2, idleTimeout: TimeSpan.FromMilliseconds(100));

        ShouldBeTheWholeFeed(await probe.ReadToEndAsync(), seed: 0);

        proxy.Connections.ShouldBe(2);
    }

    /// <summary>A seed that the output of a failed test names.</summary>
    private static int NewSeed()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        return seed;
    }

    private static TransportProbe For(FaultProxy proxy, int http, TimeSpan? idleTimeout = null) => new(new SseTransportOptions
    {
        Endpoint = proxy.Address,
        HttpVersion = http == 1 ? HttpVersion.Version11 : HttpVersion.Version20,
        IdleTimeout = idleTimeout,
        Http = new HttpConnectionOptions { PingInterval = TimeSpan.FromSeconds(1) },
        Reconnect = TransportProbe.AtOnce with { MaxAttempts = ReconnectOptions.Unlimited },
    });

    private static void ShouldBeTheWholeFeed(List<StreamMessage> messages, int seed)
    {
        var numbers = Enumerable.Range(1, Count).ToList();
        messages.Select(message => message.Id).ShouldBe(numbers.Select(NumberedFeed.Id), $"seed {seed}");
        messages.Select(message => message.Text).ShouldBe(numbers.Select(NumberedFeed.Text), $"seed {seed}");
    }
}
