using System.Net;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>What the official clients do by themselves: resume and cancel OpenAI's responses, and repeat lost requests.</summary>
public class NativeTests
{
    private const string Chat = "/ai/v1/chat/completions";

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Resumes_a_response_by_its_sequence_numbers_for_its_own_client_only()
    {
        await using var upstream = ScriptedServer.Start(
            Answers.Stream(Event(0, "response.created") + Event(1, "response.in_progress") + Event(2, "response.completed")),
            exchange => exchange.RespondAsync(404, "{}"));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var first = await gateway.PostAsync("/ai/v1/responses", ("Authorization", "Bearer a"));
        var data = Answers.DataOf(await first.ReadAsync());

        using var rest = await gateway.GetAsync("/ai/v1/responses/resp_1?stream=true&starting_after=0", ("Authorization", "Bearer a"));
        using var whole = await gateway.GetAsync("/ai/v1/responses/resp_1?stream=true", ("Authorization", "Bearer a"));
        Answers.DataOf(await rest.ReadAsync()).ShouldBe(data[1..]);
        Answers.DataOf(await whole.ReadAsync()).ShouldBe(data);
        upstream.Requests.Count.ShouldBe(1);

        using var foreign = await gateway.GetAsync("/ai/v1/responses/resp_1?stream=true", ("Authorization", "Bearer b"));
        foreign.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        upstream.Requests[1].Target.ShouldBe("/v1/responses/resp_1?stream=true");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Cancels_a_response_and_leaves_the_upstream()
    {
        var isLeft = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync(Event(0, "response.created"));
            await exchange.WaitForClientCloseAsync();
            isLeft.SetResult();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var response = await gateway.PostAsync("/ai/v1/responses");

        using var cancelled = await gateway.SendAsync(HttpMethod.Post, "/ai/v1/responses/resp_1/cancel", "");

        JsonDocument.Parse(await cancelled.ReadAsync()).RootElement.GetProperty("status").GetString().ShouldBe("cancelled");
        (await response.ReadToBreakAsync()).IsAborted.ShouldBeTrue();
        await isLeft.Task;
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_clients_own_retry_joins_the_answer_of_the_request_that_it_lost()
    {
        var isAsked = new TaskCompletionSource();
        var isAllowed = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            isAsked.TrySetResult();
            await isAllowed.Task;
            await Answers.Stream(Answers.Chat(1))(exchange);
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);
        await using var proxy = FaultProxy.Start(gateway.Client.BaseAddress!);

        var first = gateway.SendAsync(
            HttpMethod.Post, new Uri(proxy.Address, Chat).AbsoluteUri, GatewayHost.Prompt, ("x-stainless-retry-count", "0"));
        await isAsked.Task;
        proxy.CutAll();
        await Should.ThrowAsync<HttpRequestException>(() => first);
        await gateway.WaitUntilIdleAsync();
        var retry = gateway.PostAsync(Chat, ("x-stainless-retry-count", "1"));
        var equal = gateway.PostAsync(Chat, ("x-stainless-retry-count", "0"));
        isAllowed.SetResult();

        Answers.DataOf(await (await retry).ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        Answers.DataOf(await (await equal).ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        upstream.Requests.Count.ShouldBe(2, "the retry joined; an equal request of another client is another prompt");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Reports_whether_its_upstreams_answer()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(401));
        await using var gateway =
            await GatewayHost.StartAsync(upstream, build: builder => builder.Services.AddHealthChecks().AddPerennialUpstreams());
        var health = gateway.Services.GetRequiredService<HealthCheckService>();

        (await health.CheckHealthAsync(TestContext.Current.CancellationToken)).Status.ShouldBe(HealthStatus.Healthy);
        await upstream.DisposeAsync();
        var report = await health.CheckHealthAsync(TestContext.Current.CancellationToken);

        report.Status.ShouldBe(HealthStatus.Unhealthy);
        report.Entries.Single().Value.Description.ShouldBe($"No answer from {upstream.Address.Authority}.");
    }

    private static string Event(int number, string type) =>
        $"event: {type}\ndata: {{\"type\":\"{type}\",\"sequence_number\":{number},\"response\":{{\"id\":\"resp_1\"}}}}\n\n";
}
