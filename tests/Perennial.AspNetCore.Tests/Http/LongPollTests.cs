using System.Net;
using Microsoft.AspNetCore.Builder;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

public class LongPollTests
{
    private const string Accept = "application/json";

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_is_there_is_answered_at_once_as_an_array()
    {
        await using var server = await RunServer.StartAsync();
        var (isWritten, end) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("one", cancellationToken: stop);
            await writer.WriteJsonAsync(2, TestJson.Default.Int32, "number", stop);
            isWritten.SetResult();
            await end.Task;
        });
        await isWritten.Task;

        using var response = await server.OpenAsync(run, accept: Accept);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        WireFormatTests.Header(response, "Cache-Control").ShouldBe("no-store, no-transform");
        WireFormatTests.Header(response, "Perennial-Cursor").ShouldBe($"{run.Epoch}-0");
        WireFormatTests.Header(response, "Perennial-Heartbeat").ShouldBe("20");
        (await response.Content.ReadAsStringAsync(TestEnds)).ShouldBe(
            $$"""[{"id":"{{run.Epoch}}-1","data":"one"}""" + "\n" + $$""",{"id":"{{run.Epoch}}-2","type":"number","data":2}""" + "\n]");
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Who_takes_lines_as_well_gets_lines_and_their_length()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        using var response = await server.OpenAsync(run, accept: "application/json, application/x-ndjson");
        var body = await response.Content.ReadAsStringAsync(TestEnds);

        response.Content.Headers.ContentType!.ToString().ShouldBe("application/x-ndjson");
        response.Content.Headers.ContentLength.ShouldBe(body.Length);
        body.ShouldBe(await server.ReadAsync(run, accept: "application/x-ndjson"));
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_poll_is_held_until_there_is_news()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            await writer.WriteAsync("news", cancellationToken: stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });

        var poll = server.ReadAsync(run, accept: Accept);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(20), TestEnds);
        clock.Advance(TimeSpan.FromSeconds(19));
        go.SetResult();

        (await poll).ShouldBe($$"""[{"id":"{{run.Epoch}}-1","data":"news"}""" + "\n]");
        await run.StopAsync(TestEnds);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_poll_without_news_is_answered_by_204_when_its_time_is_up()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(options => options.LongPollHold = TimeSpan.FromSeconds(7), time: clock);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task);

        var poll = server.OpenAsync(run, accept: Accept);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(7), TestEnds);
        clock.Advance(TimeSpan.FromSeconds(7));

        using var response = await poll;
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        response.Headers.Contains("Perennial-Status").ShouldBeFalse();
        WireFormatTests.Header(response, "Perennial-Protocol").ShouldBe("1");
        end.SetResult();
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("wait=3", 3)]
    [InlineData("respond-async, WAIT=3", 3)]
    [InlineData("wait=100", 7)]
    [InlineData("wait=soon", 7)]
    [InlineData("wait=-1", 7)]
    public async Task A_reader_may_ask_to_be_held_for_less(string prefer, int held)
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(options => options.LongPollHold = TimeSpan.FromSeconds(7), time: clock);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task);

        var poll = PollAsync(server, run, prefer);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(held), TestEnds);
        clock.Advance(TimeSpan.FromSeconds(held));

        (await poll).ShouldBe(HttpStatusCode.NoContent);
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_reader_that_prefers_not_to_wait_is_answered_at_once()
    {
        await using var server = await RunServer.StartAsync(time: new ManualTimeProvider());
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task);

        (await PollAsync(server, run, "wait=0")).ShouldBe(HttpStatusCode.NoContent);

        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_hold_ends_with_its_timer_though_the_clock_is_a_little_behind()
    {
        var timers = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: new ClockThatIsBehind(timers));
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task);

        var poll = server.OpenAsync(run, accept: Accept);
        await timers.WaitForTimerAsync(TimeSpan.FromSeconds(20), TestEnds);
        timers.Advance(TimeSpan.FromSeconds(20));

        using var response = await poll;
        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task After_the_end_the_answer_is_204_and_says_how_it_ended()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        using var response = await server.OpenAsync(run, $"{run.Epoch}-2", Accept);

        response.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        WireFormatTests.Header(response, "Perennial-Status").ShouldBe("completed");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_gap_is_told_with_the_news()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("one");

        (await server.ReadAsync(run, "elsewhere-7", Accept)).ShouldStartWith(
            $$$"""[{"type":"perennial.gap","data":{"requested":"elsewhere-7","resumesAt":"{{{run.Epoch}}}-1"}}""" + "\n,{\"id\":");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_poll_that_is_held_when_the_server_leaves_is_sent_away_for_a_while()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(time: clock);
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, stop) => end.Task.WaitAsync(stop));
        var poll = server.OpenAsync(run, accept: Accept);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(20), TestEnds);

        await server.StopAsync();

        using var response = await poll;
        response.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        WireFormatTests.Header(response, "Retry-After").ShouldBe("1");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_poll_whose_client_goes_away_is_let_go()
    {
        var clock = new ManualTimeProvider();
        var left = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(time: clock, map: app => app.Use(async (context, next) =>
        {
            await next(context);
            left.TrySetResult();
        }));
        var end = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => end.Task);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(TestEnds);
        using var request = new HttpRequestMessage(HttpMethod.Get, RunServer.PathOf(run));
        request.Headers.Add("Accept", Accept);
        var poll = server.Client.SendAsync(request, leave.Token);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(20), TestEnds);

        await leave.CancelAsync();

        await left.Task;
        await Should.ThrowAsync<OperationCanceledException>(poll);
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_long_run_is_answered_in_parts()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync([.. Enumerable.Repeat(new string('x', 100_000), 10)]);

        var first = await server.ReadAsync(run, accept: Accept);

        first.Length.ShouldBeLessThan(500_000);
        first.ShouldNotContain("perennial.completed");
        (await server.ReadAsync(run, $"{run.Epoch}-10", Accept)).ShouldEndWith("\"data\":\"[DONE]\"}\n]");
    }

    private static async Task<HttpStatusCode> PollAsync(RunServer server, StreamRun run, string prefer)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, RunServer.PathOf(run));
        request.Headers.TryAddWithoutValidation("Accept", Accept);
        request.Headers.TryAddWithoutValidation("Prefer", prefer);
        using var response = await server.Client.SendAsync(request, TestEnds);
        return response.StatusCode;
    }

    /// <summary>As the system's: its timers go by ticks of the kernel, and may fire before the stopwatch says so.</summary>
    private sealed class ClockThatIsBehind(TimeProvider timers) : TimeProvider
    {
        public override long GetTimestamp() => 0;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            timers.CreateTimer(callback, state, dueTime, period);
    }
}
