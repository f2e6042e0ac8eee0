using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>A POST that starts a run, over lines that break before a byte of the answer arrives: produced once, and read whole.</summary>
public class LostHeadTests
{
    private const int Tokens = 2000;
    private const int LostHeads = 3;

    private int _productions;
    private int _headsToLose;

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_POST_that_may_be_repeated_starts_one_run()
    {
        await using var server = await RunServer.StartAsync(map: Map);
        await using var proxy = FaultProxy.Start(server.Address, PlanFor);

        await ReadOverLostHeadsAsync(proxy, allowReplay: true);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_POST_to_an_endpoint_that_announced_to_start_once_is_repeated_by_itself()
    {
        await using var server = await RunServer.StartAsync(map: Map);
        await using var proxy = FaultProxy.Start(server.Address, PlanFor);
        // A pool of connections of its own, so that the next POST opens a new one.
        var earlier = OptionsFor(proxy) with { Http = new HttpConnectionOptions { ConnectionLifetime = TimeSpan.FromMinutes(14) } };
        (await ReadAsync(earlier)).Count.ShouldBe(Tokens);

        await ReadOverLostHeadsAsync(proxy, allowReplay: null);
    }

    private async Task ReadOverLostHeadsAsync(FaultProxy proxy, bool? allowReplay)
    {
        (_productions, _headsToLose) = (0, LostHeads);

        var texts = await ReadAsync(OptionsFor(proxy) with { AllowReplay = allowReplay });

        texts.ShouldBe(Enumerable.Range(1, Tokens).Select(TextOf));
        _productions.ShouldBe(1);
        proxy.Cuts.ShouldBe(LostHeads);
    }

    private static async Task<List<string>> ReadAsync(SseTransportOptions options)
    {
        await using var transport = new SseTransport(options);
        var texts = new List<string>();
        await foreach (var message in transport.ReadAllAsync(TestEnds))
        {
            texts.Add(message.Text);
        }

        return texts;
    }

    private static SseTransportOptions OptionsFor(FaultProxy proxy) => new()
    {
        Endpoint = new Uri(proxy.Address, "/chat"),
        Body = RequestBody.Text("hello"),
        Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false },
    };

    private static string TextOf(int number) => number.ToString(CultureInfo.InvariantCulture);

    private FaultPlan PlanFor(int connection) =>
        Interlocked.Decrement(ref _headsToLose) >= 0 ? FaultPlan.Cut(afterBytes: 0) : FaultPlan.None;

    private void Map(WebApplication app) => app.MapPost("/chat", (StreamRuns runs) =>
    {
        Interlocked.Increment(ref _productions);
        return runs.Start(async (writer, stop) =>
        {
            for (var n = 1; n <= Tokens; n++)
            {
                await writer.WriteAsync(TextOf(n), cancellationToken: stop);
            }
        });
    });
}
