using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Management;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.WebSockets;

namespace Perennial.Tests.Management;

/// <summary>
/// Many transports of every kind over a line that keeps breaking, while some are closed and others come. PERENNIAL_LONG=1 runs a
/// thousand of them for two minutes.
/// </summary>
[Collection(nameof(Alone))]
public class ThousandTests
{
    private static readonly bool IsLong = Environment.GetEnvironmentVariable("PERENNIAL_LONG") is "1";
    private static readonly int Count = IsLong ? 1000 : 80;

    private static readonly string[] Kinds = ["sse", "http-stream", "long-poll", "websocket"];

    /// <summary>
    /// Settings that no other test has: connections of the default ones are kept for a minute after the last transport has left.
    /// </summary>
    private static readonly HttpConnectionOptions Pool = new() { ConnectionLifetime = TimeSpan.FromMinutes(14) };

    private readonly ConcurrentDictionary<string, Watched> _all = new(StringComparer.Ordinal);

    [Fact]
    public async Task Nothing_is_lost_mistaken_or_left_behind()
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        await using var server = await StreamServer.StartAsync(HttpProtocols.Http1, new MixedFeed(seed).ServeAsync);
        await using var proxy = FaultProxy.Start(server.Address, new RandomFaults
        {
            Seed = seed,
            MinBytes = 400,
            MaxBytes = 2000,
            RefuseShare = 0.05,
            MaxPieceBytes = 100,
        }.PlanFor);
        var sockets = OpenSockets.Count;
        var manager =
            new TransportManager(new TransportManagerOptions { MaxTransports = Count, HealthCheckInterval = TimeSpan.FromSeconds(1) });
        Watched.Forward(manager.Events, _all);
        var removed = 0;
        manager.Events.Removed += (_, _) => Interlocked.Increment(ref removed);
        for (var i = 0; i < Count; i++)
        {
            Start(manager, proxy.Address);
        }

        var random = new Random(seed);
        var since = TimeProvider.System.GetTimestamp();
        while (IsLong ? TimeProvider.System.GetElapsedTime(since) < TimeSpan.FromMinutes(2) : proxy.Cuts < Count)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, TestContext.Current.CancellationToken);
            var one = manager.Transports[random.Next(Count)];
            await LeaveAsync(_all[one.Id]).Soon();
            await manager.CloseAsync(one.Id).Soon();        // unless a sweep came first
            Start(manager, proxy.Address);
            var summary = manager.GetSummary();
            summary.Created.ShouldBe(summary.Removed + summary.Live);
            summary.Live.ShouldBe(Count);
        }

        var memory = GC.GetTotalMemory(forceFullCollection: true);
        var last = manager.GetSummary();
        await Task.WhenAll(manager.Transports.Select(transport => LeaveAsync(_all[transport.Id]))).Soon();
        await manager.DisposeAsync().Soon();
        var end = manager.GetSummary();
        (end.Created, end.Live, end.Removed).ShouldBe((last.Created, 0, last.Created));
        removed.ShouldBe((int)end.Created);
        _all.Count.ShouldBe((int)end.Created);
        TestContext.Current.TestOutputHelper!.WriteLine(
            $"{end.Created} transports, {Count} at a time; {_all.Values.Sum(static each => each.Received):N0} messages, {proxy.Cuts:N0} cuts of {proxy.Connections:N0} connections, "
            + $"{_all.Values.Sum(static each => each.Transport.GetMetrics().Resumes):N0} resumes, {_all.Values.Sum(static each => each.Forwarded.Count):N0} events; "
            + $"{memory / 1e6:N1} MB before the end");
        _all.Values.Select(static each => each.Wrong).OfType<string>().ShouldBeEmpty();
        foreach (var each in _all.Values)
        {
            each.Forwarded.ShouldBe(each.Direct);
            each.Received.ShouldBe(each.Transport.GetMetrics().MessagesReceived);
            each.Transport.GetMetrics().ReconnectAttempts.ShouldBe(each.Direct.OfType<ReconnectingEvent>().Count());
        }

        await Patience.Until(() => proxy.LiveConnections == 0, "no connection is open");
        await Patience.Until(() => OpenSockets.Count <= sockets + 4, "no socket is left");
    }

    private void Start(TransportManager manager, Uri address)
    {
        var stream = (_all.Count + 1).ToString(CultureInfo.InvariantCulture);
        var reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(20), MaxDelay = TimeSpan.FromSeconds(1), MaxAttempts = ReconnectOptions.Unlimited };
        var kind = Kinds[_all.Count % Kinds.Length];
        var endpoint = new Uri(address, $"/{kind}/{stream}");
        var transport = manager.Create(kind switch
        {
            "sse" => new SseTransportOptions { Endpoint = endpoint, Http = Pool, Reconnect = reconnect },
            "http-stream" => new HttpStreamTransportOptions { Endpoint = endpoint, Http = Pool, Reconnect = reconnect },
            "long-poll" =>
                new LongPollTransportOptions { Endpoint = endpoint, Http = Pool, Reconnect = reconnect, Interval = TimeSpan.Zero },
            _ => new WebSocketTransportOptions { Endpoint = endpoint, Http = Pool, Reconnect = reconnect },
        });
        var watched = new Watched(transport, stream);
        _all[transport.Id] = watched;
        watched.Reading = watched.ReadAsync();
    }

    /// <summary>Closing keeps what had arrived, and so its reader gets all of it.</summary>
    private static async Task LeaveAsync(Watched watched)
    {
        await watched.Transport.CloseAsync();
        await watched.Reading;
    }
}
