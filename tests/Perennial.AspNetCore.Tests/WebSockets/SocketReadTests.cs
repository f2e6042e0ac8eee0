using System.Net.WebSockets;
using Microsoft.AspNetCore.Builder;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.WebSockets;

public class SocketReadTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Says_hello_sends_every_event_in_its_envelope_and_closes_after_the_end()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("Hello", "token", stop);
            await writer.WriteJsonAsync(3, TestJson.Default.Int32, "usage", stop);
            await writer.WriteBinaryAsync(new byte[] { 0, 1, 255 }, "audio", stop);
        });
        await run.Completion;

        await using var client = await SocketClient.OpenAsync(server, run);

        client.SubProtocol.ShouldBe("perennial.v1");
        client.Header("Perennial-Protocol").ShouldBe("1");
        client.Header("Perennial-Heartbeat").ShouldBe("15");
        client.Header("Perennial-Cursor").ShouldBe($"{run.Epoch}-0");
        (await client.ReadToEndAsync()).ShouldBe([
            $$$"""{"type":"perennial.hello","data":{"heartbeat":15,"cursor":"{{{run.Epoch}}}-0"}}""",
            $$"""{"id":"{{run.Epoch}}-1","type":"token","data":"Hello"}""",
            $$"""{"id":"{{run.Epoch}}-2","type":"usage","data":3}""",
            $$"""{"id":"{{run.Epoch}}-3","type":"audio","binary":"AAH/"}""",
            $$"""{"id":"{{run.Epoch}}-4","type":"perennial.completed","data":"[DONE]"}""",
        ]);
        client.CloseCode.ShouldBe(1000);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Resumes_after_the_id_in_the_header_or_in_the_query(bool byHeader)
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one", "two", "three");
        var id = $"{run.Epoch}-2";

        await using var client = await SocketClient.OpenAsync(server, run, byHeader ? id : null, byHeader ? null : $"lastEventId={id}");

        client.Header("Perennial-Cursor").ShouldBe(id);
        var messages = await client.ReadToEndAsync();
        messages.Count.ShouldBe(3);
        messages[0].ShouldEndWith($"\"cursor\":\"{id}\"}}}}");
        messages[1].ShouldBe($$"""{"id":"{{run.Epoch}}-3","data":"three"}""");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Repeats_the_end_to_a_reader_that_has_it()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        await using var client = await SocketClient.GreetedAsync(server, run, $"{run.Epoch}-2");

        (await client.ReadToEndAsync()).ShouldBe([$$"""{"id":"{{run.Epoch}}-2","type":"perennial.completed","data":"[DONE]"}"""]);
        client.CloseCode.ShouldBe(1000);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Tells_of_a_gap_right_after_the_hello()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        await using var client = await SocketClient.GreetedAsync(server, run, "elsewhere-7");

        (await client.ReadToEndAsync()).ShouldBe([
            $$$"""{"type":"perennial.gap","data":{"requested":"elsewhere-7","resumesAt":"{{{run.Epoch}}}-1"}}""",
            $$"""{"id":"{{run.Epoch}}-1","data":"one"}""",
            $$"""{"id":"{{run.Epoch}}-2","type":"perennial.completed","data":"[DONE]"}""",
        ]);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Delivers_live_to_many_and_a_reader_that_does_not_read_holds_up_nobody()
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
        await using var stalled = await SocketClient.GreetedAsync(server, run);
        await using var first = await SocketClient.GreetedAsync(server, run);
        await using var second = await SocketClient.GreetedAsync(server, run);
        go.SetResult();

        (await run.Completion).ShouldBe(RunStatus.Completed);
        var messages = await first.ReadToEndAsync();
        messages.Count.ShouldBe(201);
        // Compared as a whole: an assertion that looks for the difference takes seconds for so much text.
        (await second.ReadToEndAsync()).SequenceEqual(messages).ShouldBeTrue();
        (await stalled.ReadToEndAsync()).SequenceEqual(messages).ShouldBeTrue();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Cuts_a_reader_that_takes_nothing_for_too_long()
    {
        var clock = new ManualTimeProvider();
        var limit = TimeSpan.FromMinutes(7);
        var left = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(
            options => options.ReaderStallLimit = limit, time: clock, map: app => LeavingTo(app, left));
        var block = new string('x', 64 * 1024);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            for (var n = 0; n < 200; n++)
            {
                await writer.WriteAsync(block, cancellationToken: stop);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await using var stalled = await SocketClient.OpenAsync(server, run);

        // Until the network is full writes are only slow, and take their timers with them.
        while (!left.Task.IsCompleted)
        {
            await Task.WhenAny(left.Task, clock.WaitForTimerAsync(limit, TestEnds));
            if (!left.Task.IsCompleted)
            {
                clock.Advance(limit);
            }
        }

        (await Record.ExceptionAsync(stalled.ReadToEndAsync)).ShouldBeOfType<WebSocketException>();
        stalled.CloseCode.ShouldBeNull();
        await run.StopAsync(TestEnds);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Shows_life_in_silence()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(options => options.HeartbeatInterval = TimeSpan.FromSeconds(10), time: clock);
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        await using var client = await SocketClient.GreetedAsync(server, run);

        for (var n = 0; n < 3; n++)
        {
            await clock.WaitForTimerAsync(TimeSpan.FromSeconds(10), TestEnds);
            clock.Advance(TimeSpan.FromSeconds(10));
            (await client.ReceiveAsync()).ShouldBe("""{"type":"perennial.heartbeat"}""");
        }

        await run.StopAsync(TestEnds);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_shutdown_asks_the_reader_to_come_back_and_closes_with_1012()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        await using var client = await SocketClient.GreetedAsync(server, run);

        var stopping = server.StopAsync();

        (await client.ReceiveAsync()).ShouldNotBeNull().ShouldMatch("^{\"type\":\"perennial.retry\",\"data\":{\"delay\":[12][0-9]{3}}}$");
        (await client.ReceiveAsync()).ShouldBeNull();
        client.CloseCode.ShouldBe(1012);
        await client.CloseAsync();
        await stopping;
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_peer_that_never_answers_the_goodbye_is_left_even_where_the_clock_stands_still()
    {
        var clock = new ManualTimeProvider();
        var left = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(time: clock, map: app => LeavingTo(app, left));
        var run = await server.FinishedRunAsync("one");
        await using var deaf = await SocketClient.OpenAsync(server, run);

        await left.Task;
        clock.ActiveTimers.ShouldBe(1, "the store's own timer, for the run that ended");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(0)]
    [InlineData(200)]
    public async Task A_deaf_peer_does_not_hold_up_a_shutdown_where_the_clock_stands_still(int blocks)
    {
        var clock = new ManualTimeProvider();
        var stall = TimeSpan.FromMinutes(7);
        await using var server = await RunServer.StartAsync(options => options.ReaderStallLimit = stall, time: clock);
        var block = new string('x', 64 * 1024);
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            for (var n = 0; n < blocks; n++)
            {
                await writer.WriteAsync(block, cancellationToken: stop);
            }

            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await using var deaf = await SocketClient.GreetedAsync(server, run);
        if (blocks > 0)
        {
            await clock.WaitForTimerAsync(stall, TestEnds);     // more was sent than the network holds
        }

        await server.StopAsync();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Nothing_is_left_of_a_client_that_goes(bool byClose)
    {
        var clock = new ManualTimeProvider();
        var left = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(time: clock, map: app => LeavingTo(app, left));
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        await using var client = await SocketClient.GreetedAsync(server, run);

        if (byClose)
        {
            await client.CloseAsync();
        }
        else
        {
            client.Abort();
        }

        await left.Task;
        if (byClose)
        {
            client.CloseCode.ShouldBe(1000);
        }

        clock.ActiveTimers.ShouldBe(0);
        (await run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
        await run.StopAsync(TestEnds);
    }

    private static void LeavingTo(WebApplication app, TaskCompletionSource left) =>
        app.Use(async (context, next) =>
        {
            await next(context);
            left.TrySetResult();
        });
}
