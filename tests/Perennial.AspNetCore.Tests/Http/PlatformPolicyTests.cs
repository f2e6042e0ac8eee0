using System.Collections.Concurrent;
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
        var limits = new ConcurrentQueue<TimeLimit?>();
        await using var server = await RunServer.StartAsync(
            services: services =>
                services.AddRequestTimeouts(
                    timeouts => timeouts.DefaultPolicy = new RequestTimeoutPolicy { Timeout = TimeSpan.FromHours(1) }),
            map: app =>
            {
                app.UseRequestTimeouts();
                app.Use((context, next) =>
                {
                    limits.Enqueue(TimeLimit.Of(context));
                    return next();
                });
                app.MapGet("/other", static () => "short");
                app.MapPost("/chat", IResult (StreamRuns runs) => runs.Start((writer, stop) => WriteAsync(writer, go.Task, stop)));
            });
        var run = await server.Runs.StartAsync((writer, stop) => WriteAsync(writer, go.Task, stop));

        using var reading = await server.OpenAsync(run);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/chat");
        using var chat = await server.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
        await server.Client.GetStringAsync("/other", TestEnds);

        // The limit of the first was never set, since its endpoint refuses one; that of the second was lifted.
        limits.Select(static limit => limit?.IsLifted).ShouldBe([null, true, false]);
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
        {
            return item.Data;
        }

        return "";
    }

    /// <summary>The time limit of a request, and whether it was lifted.</summary>
    private sealed class TimeLimit(IHttpRequestTimeoutFeature limit) : IHttpRequestTimeoutFeature
    {
        public bool IsLifted { get; private set; }

        public CancellationToken RequestTimeoutToken => limit.RequestTimeoutToken;

        /// <summary>Watches the limit of a request, if it has one.</summary>
        public static TimeLimit? Of(HttpContext context)
        {
            if (context.Features.Get<IHttpRequestTimeoutFeature>() is not { } limit)
            {
                return null;
            }

            var watched = new TimeLimit(limit);
            context.Features.Set<IHttpRequestTimeoutFeature>(watched);
            return watched;
        }

        public void DisableTimeout()
        {
            IsLifted = true;
            limit.DisableTimeout();
        }
    }
}
