using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.SeveralNodes.Tests;

/// <summary>The store in whole applications on real Kestrels, as users set it up.</summary>
public sealed class HostTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);
    private readonly List<WebApplication> _apps = [];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_is_read_and_stopped_on_another_machine_than_produces_it()
    {
        var (a, b) = (await StartAsync(), await StartAsync());
        using var client = new HttpClient { BaseAddress = new Uri(b.Urls.Single()) };
        var (written, cancelled) = (new TaskCompletionSource(), new TaskCompletionSource());
        var run = await a.Services.GetRequiredService<StreamRuns>().StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("hello", cancellationToken: stop);
            written.SetResult();
            await using (stop.Register(cancelled.SetResult))
            {
                await cancelled.Task;
            }
        });
        await written.Task;

        var reading = client.GetStringAsync($"/streams/{run.Id}", TestEnds);
        using var stopped = await client.DeleteAsync(new Uri($"/streams/{run.Id}", UriKind.Relative), TestEnds);

        (await stopped.Content.ReadAsStringAsync(TestEnds)).ShouldBe("""{"status":"stopped"}""");
        await cancelled.Task.WaitAsync(TestEnds);
        (await run.Completion).ShouldBe(RunStatus.Stopped);
        (await reading).ShouldEndWith("event: perennial.stopped\ndata: [DONE]\n\n");
        using var unknown = await client.GetAsync(new Uri("/streams/unknown", UriKind.Relative), TestEnds);
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact(Timeout = Hang)]
    public async Task Messages_sent_to_another_machine_than_produces_the_run_are_heard_once()
    {
        var (a, b) = (await StartAsync(), await StartAsync());
        var heard = new List<string>();
        var allHeard = new TaskCompletionSource();
        var run = await a.Services.GetRequiredService<StreamRuns>().StartAsync(
            async (_, stop) => await allHeard.Task.WaitAsync(stop),
            new RunOptions { OnMessage = HearAsync });
        await run.GetStatusAsync(TestEnds);
        var stream = new Uri($"{b.Urls.Single()}/streams/{run.Id}");

        await using (var socket = new WebSocketTransport(new() { Endpoint = stream }))
        {
            (await socket.SendAsync("numbered", TestEnds)).ShouldBe(SendOutcome.Acknowledged);
        }

        await using (var events = new SseTransport(new() { Endpoint = stream }))
        {
            (await events.SendAsync("keyed", TestEnds)).ShouldBe(SendOutcome.Acknowledged);
        }

        foreach (var machine in new[] { b, a, b })
        {
            await PostAsync(new Uri($"{machine.Urls.Single()}/streams/{run.Id}"), "posted");
        }

        await PostAsync(stream, "last");

        (await run.Completion).ShouldBe(RunStatus.Completed);
        heard.ShouldBe(["numbered", "keyed", "posted", "last"]);

        Task HearAsync(RunMessage message, CancellationToken stop)
        {
            heard.Add(message.Text);
            if (message.Text is "last")
            {
                allHeard.SetResult();
            }

            return Task.CompletedTask;
        }

        static async Task PostAsync(Uri stream, string text)
        {
            using var client = new HttpClient();
            using var request = new HttpRequestMessage(HttpMethod.Post, stream) { Content = new StringContent(text) };
            request.Headers.Add("Idempotency-Key", $"\"{text}\"");
            using var answer = await client.SendAsync(request, TestEnds);
            answer.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        }
    }

    [Fact(Timeout = Hang)]
    public async Task Runs_that_a_stopping_host_leaves_are_ended_for_the_readers_elsewhere()
    {
        var (a, b) = (await StartAsync(), await StartAsync());
        using var client = new HttpClient { BaseAddress = new Uri(b.Urls.Single()) };
        client.DefaultRequestHeaders.Add("Perennial-Protocol", "1");      // otherwise a failed run ends in an abort
        var written = new TaskCompletionSource();
        var run = await a.Services.GetRequiredService<StreamRuns>().StartAsync(async (writer, stop) =>
        {
            await writer.WriteAsync("hello", cancellationToken: stop);
            written.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await written.Task;
        var reading = client.GetStringAsync($"/streams/{run.Id}", TestEnds);

        await a.StopAsync(TestEnds);

        (await reading).ShouldContain("producer_lost");
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        StoreUnderTest.Add(builder.Services.AddPerennialServer(), cluster.ConnectionString, _nodes.Space);
        var app = builder.Build();
        _apps.Add(app);
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
