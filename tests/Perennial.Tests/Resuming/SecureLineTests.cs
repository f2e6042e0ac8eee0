using System.Security.Cryptography.X509Certificates;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.Resuming;

/// <summary>TLS below HTTP/1.1 and HTTP/2, over a line that breaks, and with certificates that nobody vouches for.</summary>
public class SecureLineTests
{
    private const int Count = 2000;

    [Theory]
    [InlineData(HttpProtocols.Http1, "HTTP/1.1")]
    [InlineData(HttpProtocols.Http2, "HTTP/2")]
    [InlineData(HttpProtocols.Http1AndHttp2, "HTTP/2")]
    public async Task Every_event_arrives_exactly_once_and_in_order(HttpProtocols protocols, string spoken)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper?.WriteLine($"seed {seed}");
        var faults = new RandomFaults { Seed = seed, MinBytes = 1_000, MaxBytes = 40_000, RefuseShare = 0.1, MaxPieceBytes = 3000 };
        using var certificate = SelfSigned.Create();
        await using var feed = await NumberedFeed.StartAsync(Count, protocols, certificate: certificate);
        await using var proxy = FaultProxy.Start(feed.Address, faults.PlanFor);
        await using var probe = new TransportProbe(OptionsFor(proxy, certificate));

        var messages = await probe.ReadToEndAsync();

        var numbers = Enumerable.Range(1, Count).ToList();
        messages.Select(message => message.Id).ShouldBe(numbers.Select(NumberedFeed.Id));
        messages.Select(message => message.Text).ShouldBe(numbers.Select(NumberedFeed.Text));
        probe.All<GapEvent>().ShouldBeEmpty();
        proxy.Cuts.ShouldBeGreaterThan(3);
        feed.Versions.ShouldAllBe(version => version == spoken);
    }

    /// <summary>A handshake that broke off says nothing about the certificate, however far it came.</summary>
    [Theory]
    [InlineData(HttpProtocols.Http1, CutMode.Reset)]
    [InlineData(HttpProtocols.Http1, CutMode.Close)]
    [InlineData(HttpProtocols.Http1AndHttp2, CutMode.Reset)]
    [InlineData(HttpProtocols.Http1AndHttp2, CutMode.Close)]
    public async Task A_handshake_may_break_off_anywhere(HttpProtocols protocols, CutMode how)
    {
        using var certificate = SelfSigned.Create();
        await using var feed = await NumberedFeed.StartAsync(count: 3, protocols, certificate: certificate);
        for (var cut = 0; cut < 1600; cut += 23)
        {
            await using var proxy = FaultProxy.Start(feed.Address, FaultPlan.InOrder(FaultPlan.Cut(cut, how), FaultPlan.None));
            await using var probe = new TransportProbe(OptionsFor(proxy, certificate));

            (await probe.ReadTextsAsync()).Count.ShouldBe(3, $"cut after byte {cut}");
        }
    }

    [Theory]
    [InlineData(HttpProtocols.Http1)]
    [InlineData(HttpProtocols.Http1AndHttp2)]
    public async Task A_certificate_nobody_vouches_for_is_final(HttpProtocols protocols)
    {
        using var certificate = SelfSigned.Create();
        await using var feed = await NumberedFeed.StartAsync(count: 3, protocols, certificate: certificate);
        TransportProbe[] probes =
        [
            new(new SseTransportOptions { Endpoint = feed.Address }),
            new(new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = feed.Address })),
            new(new LongPollTransport(new LongPollTransportOptions { Endpoint = feed.Address })),
        ];

        foreach (var probe in probes)
        {
            await using (probe)
            {
                var error = (await probe.ReadToFailureAsync()).Error;
                (error.Code, error.IsTransient, error.Delivery).ShouldBe((TransportErrorCode.ConnectFailed, false, DeliveryStatus.NotSent));
            }
        }

        feed.Versions.ShouldBeEmpty();
    }

    private static SseTransportOptions OptionsFor(FaultProxy proxy, X509Certificate2 certificate) => new()
    {
        Endpoint = proxy.Address,
        Http = new HttpConnectionOptions { Tls = SelfSigned.Trusting(certificate), PingInterval = TimeSpan.FromSeconds(1) },
        Reconnect = TransportProbe.AtOnce with { MaxAttempts = ReconnectOptions.Unlimited },
    };
}
