using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;

namespace Perennial.AspNetCore.Tests;

public class ReaderTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Two_readers_see_the_same()
    {
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            for (var n = 0; n < 1000; n++)
            {
                await writer.WriteJsonAsync(n, TestJson.Default.Int32, cancellationToken: stop);
            }
        });
        using var first = await server.OpenAsync(run);
        using var second = await server.OpenAsync(run);
        go.SetResult();

        var bodies = await Task.WhenAll(first.Content.ReadAsStringAsync(TestEnds), second.Content.ReadAsStringAsync(TestEnds));

        bodies[0].ShouldContain("-1000\ndata: 999\n\n");
        bodies[1].TrimStart(':', '\n').ShouldBe(bodies[0].TrimStart(':', '\n'), "one may have waited longer than the other");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Readers_that_come_and_go_under_a_full_speed_producer_miss_and_repeat_nothing()
    {
        const int readers = 6, sessionsPerReader = 12, longestSession = 300;
        var seed = Environment.GetEnvironmentVariable("PERENNIAL_TEST_SEED") is { } given
            ? int.Parse(given, CultureInfo.InvariantCulture)
            : Random.Shared.Next();
        TestContext.Current.SendDiagnosticMessage("PERENNIAL_TEST_SEED={0}", seed);
        await using var server = await RunServer.StartAsync();

        // Each join sets off a burst at full speed, so that joins meet the producer in the middle of its work.
        using var joined = new SemaphoreSlim(0);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            var random = new Random(seed);
            var n = 0;
            for (var burst = 0; burst < readers * sessionsPerReader; burst++)
            {
                await joined.WaitAsync(stop);
                for (var last = n + random.Next(longestSession, 2 * longestSession); n < last;)
                {
                    await writer.WriteAsync(TextOf(++n), cancellationToken: stop);
                }
            }
        });

        await Task.WhenAll(
            Enumerable.Range(1, readers).Select(reader => Task.Run(() => ReadInSessionsAsync(new Random(seed + reader)), TestEnds)));

        async Task ReadInSessionsAsync(Random random)
        {
            string? lastId = null;
            var n = 0;
            for (var session = 0; session <= sessionsPerReader; session++)
            {
                var length = session < sessionsPerReader ? random.Next(1, longestSession) : int.MaxValue;
                using var response = await server.OpenAsync(run, lastId);
                if (session < sessionsPerReader)
                {
                    joined.Release();
                }

                await foreach (var item in RunServer.EventsOf(response))
                {
                    if (item.EventType is "perennial.completed")
                    {
                        n.ShouldBe((int)(await run.Events.GetStateAsync(TestEnds)).Tail - 1, $"seed {seed}");
                        return;
                    }

                    item.Data.ShouldBe(TextOf(++n), $"seed {seed}");
                    lastId = item.EventId;
                    if (--length == 0)
                    {
                        break;
                    }
                }
            }

            Assert.Fail($"The reader never saw the end; seed {seed}");
        }

        static string TextOf(int n) => $"{n}\n{new string('x', n % 97)}";
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_leaves_does_not_stop_the_run()
    {
        var left = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(map: app => app.Use(async (context, next) =>
        {
            await next(context);
            left.TrySetResult();
        }));
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("before", cancellationToken: stop);
            await go.Task.WaitAsync(stop);
            await writer.WriteAsync("after", cancellationToken: stop);
        });

        using (var response = await server.OpenAsync(run))
        {
            await foreach (var item in RunServer.EventsOf(response))
            {
                break;
            }
        }

        await left.Task;
        go.SetResult();

        (await run.Completion).ShouldBe(RunStatus.Completed);
        (await server.ReadAsync(run)).ShouldContain("data: before\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_does_not_read_holds_up_neither_the_producer_nor_another_reader()
    {
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var block = new string('x', 64 * 1024);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            for (var n = 0; n < 200; n++)
            {
                await writer.WriteAsync(block, cancellationToken: stop);
            }
        });
        using var stalled = await server.OpenAsync(run);
        using var quick = await server.OpenAsync(run);
        go.SetResult();

        (await run.Completion).ShouldBe(RunStatus.Completed);
        var body = await quick.Content.ReadAsStringAsync(TestEnds);
        body.Length.ShouldBeGreaterThan(200 * block.Length);
        (await stalled.Content.ReadAsStringAsync(TestEnds)).TrimStart(':', '\n').ShouldBe(body.TrimStart(':', '\n'));
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_pauses_is_not_cut_by_the_minimum_data_rate()
    {
        var (before, during) = (false, true);
        await using var server = await RunServer.StartAsync(map: app => app.Use(async (context, next) =>
        {
            var rate = context.Features.GetRequiredFeature<IHttpMinResponseDataRateFeature>();
            before = rate.MinDataRate is not null;
            await next(context);
            during = rate.MinDataRate is not null;
        }));

        await server.ReadAsync(await server.FinishedRunAsync("one"));

        before.ShouldBeTrue();
        during.ShouldBeFalse();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ConfigureAwaitOptions.None, "text/event-stream", "data: token\n\n\r\n", "retry: [12][0-9]{3}\n\n")]
    [InlineData(ConfigureAwaitOptions.SuppressThrowing, "text/event-stream", "data: token\n\n\r\n", "retry: [12][0-9]{3}\n\n")]
    [InlineData(ConfigureAwaitOptions.None, "application/x-ndjson", "\"token\"}\n\r\n", "{\"type\":\"perennial.retry\",\"data\":{\"delay\":[12][0-9]{3}}}\n")]
    public async Task A_shutdown_cuts_the_response_instead_of_ending_it_however_the_producer_leaves(
        ConfigureAwaitOptions leaving, string accept, string token, string goodbye)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("token", cancellationToken: stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(leaving);
        });
        using var client = new TcpClient();
        await client.ConnectAsync(server.Client.BaseAddress!.Host, server.Client.BaseAddress.Port, TestEnds);
        await using var stream = client.GetStream();
        await stream.WriteAsync(
            Encoding.ASCII.GetBytes($"GET {RunServer.PathOf(run)} HTTP/1.1\r\nHost: test\r\nAccept: {accept}\r\n\r\n"), TestEnds);
        var received = await ReadUntilAsync(stream, token);

        await server.StopAsync();
        received += await ReadUntilAsync(stream, untilText: null);

        received.ShouldContain("Transfer-Encoding: chunked");
        received.ShouldMatch($"{token}[0-9a-f]+\r\n{goodbye}\r\n$", "a chunk of length zero would say that the stream is complete");
        (await run.Completion).ShouldBe(RunStatus.Running);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task After_the_end_the_response_completes_and_the_connection_can_be_used_again()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("token");
        using var client = new TcpClient();
        await client.ConnectAsync(server.Client.BaseAddress!.Host, server.Client.BaseAddress.Port, TestEnds);
        await using var stream = client.GetStream();

        for (var round = 0; round < 2; round++)
        {
            await stream.WriteAsync(Encoding.ASCII.GetBytes($"GET {RunServer.PathOf(run)} HTTP/1.1\r\nHost: test\r\n\r\n"), TestEnds);
            (await ReadUntilAsync(stream, "\r\n0\r\n\r\n")).ShouldContain("data: [DONE]\n\n");
        }
    }

    // Null reads until the peer is gone, by an end or by a reset.
    private static async Task<string> ReadUntilAsync(NetworkStream stream, string? untilText)
    {
        var text = "";
        var buffer = new byte[4096];
        while (untilText is null || !text.Contains(untilText, StringComparison.Ordinal))
        {
            try
            {
                var read = await stream.ReadAsync(buffer, TestEnds);
                if (read == 0)
                {
                    break;
                }

                text += Encoding.UTF8.GetString(buffer, 0, read);
            }
            catch (IOException) when (untilText is null)
            {
                break;
            }
        }

        return text;
    }
}
