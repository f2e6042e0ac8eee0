using System.Globalization;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.WebSockets;

namespace Perennial.AspNetCore.Tests;

/// <summary>
/// One long run, read over lines that break in random ways: by each protocol, and by a reader that goes from one to another.
/// </summary>
public class FourFormsTests
{
    private const int Count = 100_000;

    private static readonly ReconnectOptions Reconnect = new()
    {
        MaxAttempts = 100,
        InitialDelay = TimeSpan.FromMilliseconds(1),
        MaxDelay = TimeSpan.FromMilliseconds(20),
    };

    private static readonly Func<Uri, string?, Transport>[] Kinds =
    [
        static (uri, after) =>
            new WebSocketTransport(new WebSocketTransportOptions { Endpoint = uri, LastEventId = after, Reconnect = Reconnect }),
        static (uri, after) => new SseTransport(new SseTransportOptions { Endpoint = uri, LastEventId = after, Reconnect = Reconnect }),
        static (uri, after) =>
            new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = uri, LastEventId = after, Reconnect = Reconnect }),
        static (uri, after) => new LongPollTransport(
            new LongPollTransportOptions { Endpoint = uri, LastEventId = after, Reconnect = Reconnect, Interval = TimeSpan.Zero }),
    ];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = 4 * RunServer.Hang)]
    public async Task A_hundred_thousand_events_arrive_once_and_in_order_by_each_protocol_and_by_all_in_turn()
    {
        var seed = Environment.GetEnvironmentVariable("PERENNIAL_TEST_SEED") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        await using var server = await RunServer.StartAsync(static options => options.MaxBytesPerRun = 64 * 1024 * 1024);
        var run = await server.Runs.StartAsync(WriteAsync);
        var readers = Enumerable.Range(0, Kinds.Length + 1).Select(n => ReadAsync(server, run, seed + n, n)).ToArray();

        var cuts = await Task.WhenAll(readers);

        TestContext.Current.SendDiagnosticMessage(
            "seed {0}; cuts {1}; {2} events to each of {3} readers, 0 lost, 0 repeated",
            seed,
            string.Join(", ", cuts),
            Count,
            readers.Length);
        cuts.ShouldAllBe(static count => count > 10);
    }

    /// <summary>
    /// Reads all by one protocol, or where there is none of this number by one after the other. Returns how often its line was cut.
    /// </summary>
    private static async Task<int> ReadAsync(RunServer server, StreamRun run, int seed, int kind)
    {
        var faults = new RandomFaults { Seed = seed, MinBytes = 20_000, MaxBytes = 200_000, RefuseShare = 0.1, MaxPieceBytes = 20_000 };
        await using var proxy = FaultProxy.Start(server.Address, faults.PlanFor);
        var uri = new Uri(proxy.Address, RunServer.PathOf(run));
        var random = new Random(seed);
        var (next, lastId) = (1, (string?)null);
        for (var session = 0; next <= Count; session++)
        {
            var (turn, rest) = kind < Kinds.Length ? (kind, int.MaxValue) : (random.Next(Kinds.Length), random.Next(1, Count / 20));
            await using var transport = Kinds[turn](uri, lastId);
            await foreach (var message in transport.ReadAllAsync(TestEnds))
            {
                message.FollowsGap.ShouldBeFalse($"seed {seed}, {transport.Kind}");
                message.Text.ShouldBe(TextOf(next), $"seed {seed}, {transport.Kind}");
                next++;
                lastId = message.Id;
                if (--rest == 0)
                {
                    break;
                }
            }

            if (rest > 0)
            {
                (await transport.Completion).Reason.ShouldBe(StreamEndReason.Completed, $"seed {seed}, {transport.Kind}");
            }
        }

        next.ShouldBe(Count + 1, $"seed {seed}");
        return proxy.Cuts;
    }

    private static async Task WriteAsync(RunWriter writer, CancellationToken stop)
    {
        for (var n = 1; n <= Count; n++)
        {
            await writer.WriteAsync(TextOf(n), cancellationToken: stop);
            if (n % 1000 == 0)
            {
                await Task.Yield();
            }
        }
    }

    private static string TextOf(int n) => n.ToString(CultureInfo.InvariantCulture);
}
