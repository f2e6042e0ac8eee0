using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>The same request with the same <c>Idempotency-Key</c> starts one run, whichever machine it comes to.</summary>
public sealed class StartOnceTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);
    private readonly List<WebApplication> _apps = [];
    private readonly ConcurrentQueue<string> _prompts = [];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }

        await _nodes.DisposeAsync();
    }

    [Fact(Timeout = Hang)]
    public async Task A_request_repeated_at_another_machine_is_answered_with_the_run_of_the_first()
    {
        var (a, b) = (await StartAsync(), await StartAsync());

        var answers = await Task.WhenAll(new[] { a, b, a, b }.Select(machine => PostAsync(machine, "hello")));
        using var other = await PostAsync(b, "another prompt");

        answers.Select(answer => answer.Content.Headers.ContentLocation.ShouldNotBeNull()).Distinct().ShouldHaveSingleItem();
        foreach (var answer in answers)
        {
            (await answer.Content.ReadAsStringAsync(TestEnds)).ShouldContain("data: answer\n");
        }

        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        _prompts.ShouldBe(["hello"]);
    }

    [Fact(Timeout = Hang)]
    public async Task The_claims_of_a_machine_that_is_gone_are_free_and_its_runs_keep_their_keys()
    {
        var time = new ManualTimeProvider();
        var (dead, alive) = (await _nodes.StartAsync(), await _nodes.StartAsync(time: time));
        var (started, claimed) = (Key("started"), Key("claimed"));
        await dead.ClaimStartAsync(started, TestEnds);
        await dead.ClaimStartAsync(claimed, TestEnds);
        var run = await dead.CreateAsync(new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Start = started }, TestEnds);
        await dead.DisposeAsync();

        await RunReading.UntilAsync(async () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return (await alive.ClaimStartAsync(Key("claimed"), TestEnds)).Outcome == StartClaimOutcome.Claimed;
        });

        (await alive.ClaimStartAsync(Key("started"), TestEnds)).ShouldBe(new StartClaim
        {
            Outcome = StartClaimOutcome.Started,
            RunId = run.Id,
        });
    }

    private static StartKey Key(string name) => new StartKey { Name = name, Fingerprint = "same", Request = Guid.NewGuid() };

    private static async Task<HttpResponseMessage> PostAsync(WebApplication machine, string text)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(new Uri(machine.Urls.Single()), "/chat")) { Content = JsonContent.Create(text) };
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "\"key\"");
        return await client.SendAsync(request, TestEnds);
    }

    private async Task<WebApplication> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        StoreUnderTest.Add(builder.Services.AddPerennialServer(), cluster.ConnectionString, _nodes.Space);
        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        app.MapPost("/chat", async (HttpContext context, StreamRuns runs) =>
        {
            _prompts.Enqueue((await context.Request.ReadFromJsonAsync<string>(TestEnds))!);
            return runs.Start(async (writer, stop) => await writer.WriteAsync("answer", cancellationToken: stop));
        });
        await app.StartAsync(TestEnds);
        _apps.Add(app);
        return app;
    }
}
