using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.RateLimiting;
using Microsoft.Extensions.DependencyInjection;
using Perennial.Testing;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>The platform's own policies hold for the endpoints, and runs have limits of their own.</summary>
public class ApplicationPolicyTests
{
    private const string Page = "https://page.example";

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_page_of_another_origin_may_resume_and_stop_where_the_application_says_so()
    {
        await using var server = await RunServer.StartAsync(
            services: services => services.AddCors(cors => cors.AddDefaultPolicy(
                policy => policy.WithOrigins(Page).WithMethods("GET", "DELETE").WithPerennialHeaders())),
            map: app => app.UseCors());
        var run = await server.FinishedRunAsync("one");

        using var preflight = await AskAsync(
            server,
            HttpMethod.Options,
            run,
            ("Access-Control-Request-Method", "DELETE"),
            ("Access-Control-Request-Headers", "last-event-id"));
        using var read = await AskAsync(server, HttpMethod.Get, run);

        preflight.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        WireFormatTests.Header(preflight, "Access-Control-Allow-Origin").ShouldBe(Page);
        WireFormatTests.Header(preflight, "Access-Control-Allow-Methods").ShouldContain("DELETE");
        WireFormatTests.Header(preflight, "Access-Control-Allow-Headers").ShouldContain("Last-Event-ID");
        WireFormatTests.Header(read, "Access-Control-Allow-Origin").ShouldBe(Page);
        var exposed = WireFormatTests.Header(read, "Access-Control-Expose-Headers").Split(',', StringSplitOptions.TrimEntries);
        foreach (var name in read.Headers.Select(header => header.Key).Where(name => name.StartsWith("Perennial-", StringComparison.Ordinal)))
        {
            exposed.ShouldContain(name);
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task The_applications_rate_limiter_works_on_the_endpoints()
    {
        await using var server = await RunServer.StartAsync(
            services: services => services.AddRateLimiter(limiter =>
            {
                limiter.RejectionStatusCode = 429;
                limiter.OnRejected = (rejected, _) =>
                {
                    rejected.HttpContext.Response.Headers.RetryAfter = "60";
                    return ValueTask.CompletedTask;
                };
                limiter.AddFixedWindowLimiter("runs", window => (window.PermitLimit, window.Window) = (1, TimeSpan.FromHours(1)));
            }),
            map: app => app.UseRateLimiter(),
            decide: runs => runs.AllowAnonymous().RequireRateLimiting("runs"));
        var run = await server.FinishedRunAsync("one");

        using var first = await server.OpenAsync(run);
        using var second = await server.OpenAsync(run);

        first.StatusCode.ShouldBe(HttpStatusCode.OK);
        second.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        WireFormatTests.Header(second, "Retry-After").ShouldBe("60");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task One_run_has_so_many_readers_and_others_have_theirs()
    {
        await using var server = await RunServer.StartAsync(options => options.MaxReadersPerRun = 1);
        var end = new TaskCompletionSource();
        var (run, other) = (await server.Runs.StartAsync((_, _) => end.Task), await server.Runs.StartAsync((_, _) => end.Task));
        using var first = await server.OpenAsync(run);

        using var second = await server.OpenAsync(run);
        using var elsewhere = await server.OpenAsync(other);

        second.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests);
        WireFormatTests.Header(second, "Retry-After").ShouldBe("1");
        elsewhere.StatusCode.ShouldBe(HttpStatusCode.OK);
        end.SetResult();
        await first.Content.ReadAsStringAsync(TestEnds);
        (await server.ReadAsync(run)).ShouldContain("perennial.completed");
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task One_run_is_sent_so_many_messages_in_a_second()
    {
        var clock = new ManualTimeProvider();
        await using var server = await RunServer.StartAsync(options => options.MaxMessagesPerSecond = 2, time: clock);
        var end = new TaskCompletionSource();
        var options = new RunOptions { OnMessage = (_, _) => Task.CompletedTask };
        var (run, other) =
            (await server.Runs.StartAsync((_, _) => end.Task, options), await server.Runs.StartAsync((_, _) => end.Task, options));

        (await StatusesAsync(run, 3)).ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests]);
        (await StatusesAsync(other, 1)).ShouldBe([HttpStatusCode.Accepted]);
        clock.Advance(TimeSpan.FromSeconds(0.5));
        (await StatusesAsync(run, 2)).ShouldBe([HttpStatusCode.Accepted, HttpStatusCode.TooManyRequests]);
        end.SetResult();

        async Task<List<HttpStatusCode>> StatusesAsync(StreamRun target, int count)
        {
            List<HttpStatusCode> statuses = [];
            for (var n = 0; n < count; n++)
            {
                using var response = await server.Client.PostAsync(RunServer.PathOf(target), new StringContent("x"), TestEnds);
                statuses.Add(response.StatusCode);
            }

            return statuses;
        }
    }

    private static async Task<HttpResponseMessage> AskAsync(
        RunServer server, HttpMethod method, StreamRun run, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(method, RunServer.PathOf(run));
        request.Headers.Add("Origin", Page);
        foreach (var (name, value) in headers)
        {
            request.Headers.Add(name, value);
        }

        return await server.Client.SendAsync(request, TestEnds);
    }
}
