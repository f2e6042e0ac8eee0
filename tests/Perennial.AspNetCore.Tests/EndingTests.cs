using System.Net;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Http;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests;

public class EndingTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_stop_ends_the_log_cancels_the_producer_and_refuses_what_it_still_writes()
    {
        await using var server = await RunServer.StartAsync();
        var refusal = new TaskCompletionSource<Exception?>();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("token", cancellationToken: stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            refusal.SetResult(await Record.ExceptionAsync(async () => await writer.WriteAsync("too late", null, CancellationToken.None)));
        });
        await FirstEventAsync(run);
        using var reader = await server.OpenAsync(run);

        using var response = await server.Client.DeleteAsync(RunServer.PathOf(run), TestEnds);

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        (await response.Content.ReadAsStringAsync(TestEnds)).ShouldBe("""{"status":"stopped"}""");
        (await refusal.Task).ShouldBeAssignableTo<OperationCanceledException>();
        (await run.Completion).ShouldBe(RunStatus.Stopped);
        (await reader.Content.ReadAsStringAsync(TestEnds)).ShouldBe(
            $"id: {run.Epoch}-1\ndata: token\n\nid: {run.Epoch}-2\nevent: perennial.stopped\ndata: [DONE]\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_stop_need_not_wait_for_a_producer_that_does_not_listen()
    {
        await using var server = await RunServer.StartAsync();
        var deaf = new TaskCompletionSource();
        var run = await server.Runs.StartAsync((_, _) => deaf.Task);

        (await run.StopAsync()).ShouldBe(RunStatus.Stopped);

        (await server.ReadAsync(run)).ShouldContain("event: perennial.stopped\n");
        deaf.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Stopping_a_finished_run_changes_nothing_and_says_how_it_ended()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.FinishedRunAsync("token");
        var before = await server.ReadAsync(run);

        using var response = await server.Client.DeleteAsync(RunServer.PathOf(run), TestEnds);

        (await response.Content.ReadAsStringAsync(TestEnds)).ShouldBe("""{"status":"completed"}""");
        (await server.ReadAsync(run)).ShouldBe(before);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_a_producer_throws_stays_on_the_server()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, _) => throw new InvalidDataException("password=hunter2"));
        await run.Completion;

        var body = await server.ReadAsync(run);

        body.ShouldBe($$$"""
            id: {{{run.Epoch}}}-1
            event: perennial.failed
            data: {"error":{"message":"The run failed.","code":"run_failed"}}


            """, StringCompareShould.IgnoreLineEndings);
        (await run.Completion).ShouldBe(RunStatus.Failed);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_producer_can_choose_what_readers_are_told()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, _) =>
            throw new RunFailedException("The model is busy.", "model_overloaded", new InvalidDataException("password=hunter2")));

        (await server.ReadAsync(run)).ShouldEndWith(
            "event: perennial.failed\ndata: {\"error\":{\"message\":\"The model is busy.\",\"code\":\"model_overloaded\"}}\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_cancellation_nobody_asked_for_is_a_failure()
    {
        await using var server = await RunServer.StartAsync();
        var run = await server.Runs.StartAsync((_, _) => throw new OperationCanceledException("the model timed out"));

        (await run.Completion).ShouldBe(RunStatus.Failed);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_that_grows_too_large_fails_even_if_its_producer_looks_away()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxBytesPerRun = 1024);
        Exception? second = null;
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("fits", cancellationToken: stop);
            (await Record.ExceptionAsync(async () => await writer.WriteAsync(new string('x', 1024), null, stop)))
                .ShouldBeOfType<RunFailedException>().Code.ShouldBe("run_too_large");
            second = await Record.ExceptionAsync(async () => await writer.WriteAsync("also fits", null, stop));
        });

        (await run.Completion).ShouldBe(RunStatus.Failed);
        second.ShouldNotBeNull().ShouldSatisfyAllConditions(
            e =>
                (e is InvalidOperationException or OperationCanceledException).ShouldBeTrue(
                    "the end is told, or has cancelled the producer already"));
        (await server.ReadAsync(run)).ShouldBe(
            $"id: {run.Epoch}-1\ndata: fits\n\n" +
            $"id: {run.Epoch}-2\nevent: perennial.failed\n" +
            "data: {\"error\":{\"message\":\"The run has reached the largest size that the server allows.\",\"code\":\"run_too_large\"}}\n\n");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData(ReaderForm.Sse)]
    [InlineData(ReaderForm.JsonLines)]
    [InlineData(ReaderForm.LongPoll)]
    public async Task A_host_whose_clock_stands_still_stops_all_the_same(ReaderForm form)
    {
        var clock = new ManualTimeProvider();
        var (heartbeat, hold) = (TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(20));
        await using var server =
            await RunServer.StartAsync(options => (options.HeartbeatInterval, options.LongPollHold) = (heartbeat, hold), time: clock);
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));
        var reading = server.OpenAsync(run, accept: form.Accept());
        await clock.WaitForTimerAsync(form == ReaderForm.LongPoll ? hold : heartbeat, TestEnds);

        await server.StopAsync();

        (await run.Completion).ShouldBe(RunStatus.Running);
        await Record.ExceptionAsync(async () => (await reading).Dispose());
    }

    private static async Task FirstEventAsync(StreamRun run)
    {
        var log = run.Events;
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        while ((await log.GetStateAsync(TestEnds)).Tail == 0)
        {
            await news.WaitAsync();
        }
    }
}
