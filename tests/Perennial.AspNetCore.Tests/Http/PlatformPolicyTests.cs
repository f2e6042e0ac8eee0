using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Timeouts;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>What the platform does to short answers by default is not done to answers with runs.</summary>
public class PlatformPolicyTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_base_policy_of_the_output_cache_holds_nothing_back_and_stores_nothing()
    {
        var go = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(
            services: services => services.AddOutputCache(cache => cache.AddBasePolicy(policy => policy.Expire(TimeSpan.FromHours(1)))),
            map: app =>
            {
                app.UseOutputCache();
                app.MapGet("/chat", (StreamRuns runs) => runs.Start((writer, stop) => WriteAsync(writer, go.Task, stop)));
            });
        var run = await server.Runs.StartAsync((writer, stop) => WriteAsync(writer, go.Task, stop));

        using var reading = await server.OpenAsync(run);
        using var chat = await server.Client.GetAsync("/chat", HttpCompletionOption.ResponseHeadersRead, TestEnds);
        (await FirstEventAsync(reading)).ShouldBe("one");
        (await FirstEventAsync(chat)).ShouldBe("one");
        using var poll = await server.OpenAsync(run, accept: "application/json");
        var polled = await poll.Content.ReadAsStringAsync(TestEnds);
        go.SetResult();
        await run.Completion;
        using var pollAgain = await server.OpenAsync(run, accept: "application/json");

        polled.ShouldNotContain("perennial.completed");
        (await pollAgain.Content.ReadAsStringAsync(TestEnds)).ShouldContain("perennial.completed");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_default_policy_of_request_timeouts_cuts_no_reader()
    {
        var go = new TaskCompletionSource();
        await using var server = await RunServer.StartAsync(
            services: services => services.AddRequestTimeouts(timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromMilliseconds(1) }),
            map: app =>
            {
                app.UseRequestTimeouts();
                app.MapPost("/chat", IResult (StreamRuns runs) => runs.Start((writer, stop) => WriteAsync(writer, go.Task, stop)));
            });
        var run = await server.Runs.StartAsync((writer, stop) => WriteAsync(writer, go.Task, stop));

        using var reading = await server.OpenAsync(run);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chat");
        using var chat = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
        // Longer than the timeout: what would be cut is cut by now.
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, TestEnds);
        go.SetResult();

        (await reading.Content.ReadAsStringAsync(TestEnds)).ShouldContain("perennial.completed");
        (await chat.Content.ReadAsStringAsync(TestEnds)).ShouldContain("perennial.completed");
    }

    private static async Task WriteAsync(RunWriter writer, Task go, CancellationToken stop)
    {
        await writer.WriteAsync("one", cancellationToken: stop);
        await go.WaitAsync(stop);
        await writer.WriteAsync("two", cancellationToken: stop);
    }

    private static async Task<string> FirstEventAsync(HttpResponseMessage response)
    {
        await foreach (var item in RunServer.EventsOf(response))
            return item.Data;
        return "";
    }
}
