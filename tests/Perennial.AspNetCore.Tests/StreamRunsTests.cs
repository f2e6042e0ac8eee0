using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;

namespace Perennial.AspNetCore.Tests;

public class StreamRunsTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_returned_from_an_endpoint_answers_with_its_events_and_where_to_resume()
    {
        var isRead = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(map: app =>
            app.MapPost("/chat", (StreamRuns runs) => runs.Start(CountAfter(isRead.Task), TestJson.Default.Int32)));

        using var request = new HttpRequestMessage(HttpMethod.Post, "/chat");
        using var response = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
        await using var stream = await response.Content.ReadAsStreamAsync(TestEnds);
        var first = new byte[2];
        await stream.ReadExactlyAsync(first, TestEnds);
        isRead.SetResult();
        using var reader = new StreamReader(stream);
        var body = await reader.ReadToEndAsync(TestEnds);

        first.ShouldBe(":\n"u8.ToArray(), "the heartbeat of a run that has no event yet");
        response.Content.Headers.ContentType!.ToString().ShouldBe("text/event-stream");
        var location = response.Content.Headers.ContentLocation.ShouldNotBeNull();
        (await server.Client.GetStringAsync(location, TestEnds)).ShouldBe(body);
        body.ShouldContain("-1\ndata: 1\n\n");
        body.ShouldEndWith("-3\nevent: perennial.completed\ndata: [DONE]\n\n");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_returned_from_a_GET_of_the_application_resumes_after_the_last_id()
    {
        StreamRun? found = null;
        await using var server = await RunServer.StartAsync(map: app => app.MapGet("/mine", () => found!));
        var run = await server.FinishedRunAsync("one", "two", "three");
        found = run;

        (await GetAsync("/mine", $"{run.Epoch}-2")).ShouldStartWith($"id: {run.Epoch}-3\ndata: three\n");
        (await GetAsync($"/mine?lastEventId={run.Epoch}-2", lastEventId: null)).ShouldStartWith($"id: {run.Epoch}-3\ndata: three\n");
        (await GetAsync("/mine", lastEventId: null)).ShouldStartWith($"id: {run.Epoch}-1\ndata: one\n");

        async Task<string> GetAsync(string path, string? lastEventId)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (lastEventId is not null)
            {
                request.Headers.Add("Last-Event-ID", lastEventId);
            }

            using var response = await server.Client.SendAsync(request, TestEnds);
            return await response.Content.ReadAsStringAsync(TestEnds);
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task The_tail_can_be_asked_for()
    {
        await using var server = await RunServer.StartAsync();
        var go = new TaskCompletionSource();
        var run = await server.Runs.StartAsync(async (writer, stop) =>
        {
            await go.Task;
            await writer.WriteAsync("one", cancellationToken: stop);
        });

        await TailShouldBe("0", "running");
        go.SetResult();
        await run.Completion;
        await TailShouldBe("2", "completed");

        async Task TailShouldBe(string sequence, string status)
        {
            using var request = new HttpRequestMessage(HttpMethod.Head, RunServer.PathOf(run));
            using var response = await server.Client.SendAsync(request, TestEnds);
            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            WireFormatTests.Header(response, "Perennial-Tail").ShouldBe($"{run.Epoch}-{sequence}");
            WireFormatTests.Header(response, "Perennial-Status").ShouldBe(status);
        }
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("GET")]
    [InlineData("HEAD")]
    [InlineData("DELETE")]
    public async Task An_unknown_run_is_not_found(string method)
    {
        await using var server = await RunServer.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/streams/no-such-run");

        using var response = await server.Client.SendAsync(request, TestEnds);

        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        if (request.Method != HttpMethod.Head)
        {
            (await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds)).GetProperty("status").GetInt32().ShouldBe(404);
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_finished_run_is_forgotten_and_makes_room()
    {
        await using var server =
            await RunServer.StartAsync(options => (options.FinishedRunRetention, options.MaxRuns) = (TimeSpan.Zero, 1));
        var run = await server.FinishedRunAsync("one");

        while (await server.Runs.FindAsync(run.Id, TestEnds) is not null)
        {
            await Task.Yield();
        }

        using var response = await server.OpenAsync(run);
        response.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        await server.Runs.StartAsync((_, _) => Task.CompletedTask);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_run_may_be_kept_for_a_time_of_its_own()
    {
        await using var server = await RunServer.StartAsync(options => options.FinishedRunRetention = TimeSpan.Zero);
        var kept = await server.Runs.StartAsync(
            CountAfter(Task.CompletedTask), TestJson.Default.Int32, new RunOptions { Retention = TimeSpan.FromDays(7) });
        await kept.Completion;
        var usual = await server.FinishedRunAsync("one");
        while (await server.Runs.FindAsync(usual.Id, TestEnds) is not null)
        {
            await Task.Yield();
        }

        (await server.ReadAsync(kept)).ShouldContain("data: 2\n");
        Should.Throw<ArgumentOutOfRangeException>(
            () => server.Runs.Start((_, _) => Task.CompletedTask, new RunOptions { Retention = TimeSpan.FromDays(8) }))
            .Message.ShouldContain("Retention must be from 00:00:00 to");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task No_more_runs_are_produced_than_allowed()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxRuns = 2);
        var end = new TaskCompletionSource();
        await server.Runs.StartAsync((_, _) => end.Task);
        await server.FinishedRunAsync();
        await server.Runs.StartAsync((_, _) => end.Task);

        Should.Throw<TooManyRunsException>(() => server.Runs.Start((_, _) => Task.CompletedTask)).Message.ShouldContain("2 runs");
        Should.Throw<TooManyRunsException>(() => server.Runs.Start((_, _) => Task.CompletedTask));
        end.SetResult();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Ids_are_long_random_and_never_the_same()
    {
        await using var server = await RunServer.StartAsync();
        var ids = new HashSet<string>(StringComparer.Ordinal);

        for (var n = 0; n < 100; n++)
        {
            ids.Add((await server.FinishedRunAsync()).Id).ShouldBeTrue();
        }

        ids.ShouldAllBe(id => System.Buffers.Text.Base64Url.DecodeFromChars(id).Length == 16);
    }

    [Fact]
    public void Bad_options_are_refused_by_name_and_range()
    {
        Refusal(options => options.HeartbeatInterval = TimeSpan.Zero).ShouldContain(
            "HeartbeatInterval must be from 00:00:00.0010000 to 01:00:00.");
        Refusal(options =>
            options.FinishedRunRetention = TimeSpan.FromSeconds(-1)).ShouldContain("FinishedRunRetention must be from 00:00:00 to");
        Refusal(options => options.MaxBytesPerRun = 1023).ShouldContain("MaxBytesPerRun must be from 1024 to");
        Refusal(options => options.MaxRuns = 0).ShouldContain("MaxRuns must be from 1 to");

        static string Refusal(Action<PerennialServerOptions> change)
        {
            var options = new PerennialServerOptions();
            change(options);
            return Should.Throw<ArgumentOutOfRangeException>(options.Validate).Message;
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_host_with_bad_options_does_not_start() =>
        await Should.ThrowAsync<ArgumentOutOfRangeException>(async () => await RunServer.StartAsync(options => options.MaxRuns = 0));

    private static async IAsyncEnumerable<int> CountAfter(Task start)
    {
        await start;
        yield return 1;
        await Task.Yield();
        yield return 2;
    }
}
