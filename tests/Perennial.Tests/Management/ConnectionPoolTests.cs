using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Management;

/// <summary>How many connections many streams need, and when there are new ones.</summary>
[Collection(nameof(Alone))]
public class ConnectionPoolTests
{
    private const int Streams = 1000;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_thousand_streams_over_http2_ride_as_few_connections_as_the_server_allows(bool haveSettingsOfTheirOwn)
    {
        await using var server = await StreamServer.StartAsync(HttpProtocols.Http2, StreamServer.OneEventAsync);
        await using var wire = FaultProxy.Start(server.Address);
        await using var manager = new TransportManager(Managed.Options with { MaxTransports = Streams + 1 });
        var cookies = new CookieContainer();
        var options = new SseTransportOptions
        {
            Endpoint = wire.Address,
            HttpVersion = HttpVersion.Version20,
            Http = haveSettingsOfTheirOwn ? new HttpConnectionOptions { Cookies = cookies } : new HttpConnectionOptions(),
        };
        await ReadOneEachAsync([manager.Create(options)]);
        server.Opened.ShouldBe(1);
        var memory = GC.GetTotalMemory(forceFullCollection: true);

        var transports = Enumerable.Range(0, Streams)
            .Select(_ =>
                manager.Create(haveSettingsOfTheirOwn ? options with { Http = new HttpConnectionOptions { Cookies = cookies } } : options))
            .ToList();
        await ReadOneEachAsync(transports);

        var perStream = (GC.GetTotalMemory(forceFullCollection: true) - memory) / Streams;
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{Streams + 1} streams over {server.Opened} TCP connections ({string.Join(", ", server.Requests.Values.OrderDescending())} each); "
            + $"{wire.UpstreamBytes / (Streams + 1)} bytes up and {wire.DownstreamBytes / (Streams + 1)} down a stream; "
            + $"{perStream:N0} bytes of memory a stream, client, server and proxy together");
        manager.InState(TransportState.Connected).Count.ShouldBe(Streams + 1);
        server.Requests.Values.Sum().ShouldBe(Streams + 1);
        // Kestrel allows 100 streams a connection; a connection too many may be opened while others are being filled.
        server.Requests.Values.Max().ShouldBeLessThanOrEqualTo(100);
        server.Opened.ShouldBeInRange(11, 22);
        GC.KeepAlive(transports);
    }

    [Fact]
    public async Task A_connection_is_used_for_new_requests_for_a_limited_time_only()
    {
        await using var server = await StreamServer.StartAsync(HttpProtocols.Http1, static context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        });
        await using var manager = new TransportManager(Managed.Options);
        var transport = manager.Create(new LongPollTransportOptions
        {
            Endpoint = server.Address,
            Interval = TimeSpan.FromMilliseconds(10),
            Http = new HttpConnectionOptions { ConnectionLifetime = TimeSpan.FromMilliseconds(100) },
        });
        await transport.ConnectAsync().Soon();

        await Patience.Until(() => server.Opened >= 4, "connections are renewed");

        transport.GetMetrics().ReconnectAttempts.ShouldBe(0);
        server.Requests.Values.Max().ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task Connections_are_closed_with_the_last_transport_that_could_use_them()
    {
        await using var server = await StreamServer.StartAsync(HttpProtocols.Http2, StreamServer.OneEventAsync);
        await using var manager = new TransportManager(Managed.Options);
        var options = new SseTransportOptions
        {
            Endpoint = server.Address,
            HttpVersion = HttpVersion.Version20,
            Http = new HttpConnectionOptions { PingInterval = TimeSpan.FromSeconds(77) },
        };
        foreach (var round in Enumerable.Range(1, 2))
        {
            await ReadOneEachAsync([manager.Create(options), manager.Create(options)]);
            await ReadOneEachAsync([manager.Create(options)]);
            server.Opened.ShouldBe(round);
            await manager.CloseAllAsync().Soon();
        }
    }

    private static Task ReadOneEachAsync(IEnumerable<Transport> transports) =>
        Task.WhenAll(
            transports.Select(static async transport => (await transport.ReadAllAsync().TextsAsync(1).Soon()).ShouldBe(["hello"])));
}
