using System.Net;
using System.Text.Json;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>The ways to resume of the AI SDK and of MCP, and MCP's own errors.</summary>
public class NativeStreamTests
{
    private const string Api = "/ai/api/chat";
    private const string ChatRequest = """{"id":"chat 1","messages":[{"role":"user"}],"trigger":"submit-message"}""";
    private const string Progress = """{"jsonrpc":"2.0","method":"notifications/progress","params":{"progress":1}}""";
    private static readonly (string, string) Version = ("mcp-protocol-version", "2025-11-25");

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Resumes_the_running_stream_of_a_chat_and_answers_204_once_none_runs()
    {
        var mayEnd = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(("x-vercel-ai-ui-message-stream", "v1"));
            await exchange.WriteChunkAsync("data: {\"type\":\"start\"}\n\n");
            await mayEnd.Task;
            await exchange.WriteChunkAsync("data: {\"type\":\"finish\"}\n\ndata: [DONE]\n\n");
            await exchange.EndChunksAsync();
        }, exchange => exchange.RespondAsync(404, "{}"), exchange => exchange.RespondAsync(404, "{}"));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var first = await gateway.SendAsync(HttpMethod.Post, Api, ChatRequest, ("Authorization", "Bearer a"));

        using var resumed = await gateway.GetAsync($"{Api}/chat%201/stream", ("Authorization", "Bearer a"));
        using var foreign = await gateway.GetAsync($"{Api}/chat%201/stream", ("Authorization", "Bearer b"));
        using var other = await gateway.GetAsync($"{Api}/chat2/stream", ("Authorization", "Bearer a"));
        mayEnd.SetResult();

        resumed.StatusCode.ShouldBe(HttpStatusCode.OK);
        resumed.Headers.GetValues("x-vercel-ai-ui-message-stream").ShouldBe(["v1"]);
        Answers.DataOf(await resumed.ReadAsync()).ShouldBe(["{\"type\":\"start\"}", "{\"type\":\"finish\"}", "[DONE]"]);
        Answers.DataOf(await first.ReadAsync()).Length.ShouldBe(3);
        foreign.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        other.StatusCode.ShouldBe(HttpStatusCode.NotFound);
        upstream.Requests.Select(static request => request.Target).ShouldBe(
            ["/api/chat", "/api/chat/chat%201/stream", "/api/chat/chat2/stream"]);

        using var ended = await gateway.GetAsync($"{Api}/chat%201/stream", ("Authorization", "Bearer a"));
        ended.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        upstream.Requests.Count.ShouldBe(3);
    }

    [Theory(Timeout = GatewayHost.Hang)]
    [InlineData("7", false)]
    [InlineData("\"seven\"", false)]
    [InlineData("7", true)]
    public async Task A_broken_MCP_answer_ends_with_an_error_for_the_request(string id, bool hasKey)
    {
        await using var upstream = ScriptedServer.Start(Answers.Cut($"data: {Progress}\n\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response =
            await gateway.SendAsync(HttpMethod.Post, "/ai/mcp", Call(id), hasKey ? [Version, ("Idempotency-Key", "k")] : [Version]);
        var (text, isAborted) = await response.ReadToBreakAsync();

        var data = Answers.DataOf(text);
        data[0].ShouldBe(Progress);
        var error = JsonDocument.Parse(data[1]).RootElement;
        error.GetProperty("id").GetRawText().ShouldBe(id);
        error.GetProperty("error").GetProperty("message").GetString().ShouldBe("The upstream's response broke off.");
        isAborted.ShouldBeTrue();
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_large_body_is_forwarded_whole_and_its_late_id_is_not_searched()
    {
        await using var upstream = ScriptedServer.Start(Answers.Cut($"data: {Progress}\n\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        var call = $$"""{"params":"{{new string('x', 100_000)}}","id":7}""";

        using var response = await gateway.SendAsync(HttpMethod.Post, "/ai/mcp", call, Version);
        var (text, isAborted) = await response.ReadToBreakAsync();

        Answers.DataOf(text).ShouldBe([Progress]);
        isAborted.ShouldBeTrue();
        upstream.Requests[0].Text.ShouldBe(call);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task An_MCP_client_continues_its_answer_after_its_last_event()
    {
        const string Result = """{"jsonrpc":"2.0","id":7,"result":{}}""";
        await using var upstream = ScriptedServer.Start(
            Answers.Stream($"data: {Progress}\n\ndata: {Result}\n\n"),
            exchange => exchange.RespondAsync(405),
            exchange => exchange.RespondAsync(405));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var first = await gateway.SendAsync(HttpMethod.Post, "/ai/mcp", Call("7"), Version, ("Authorization", "Bearer a"));
        var ids = Answers.IdsOf(await first.ReadAsync());

        using var rest = await gateway.GetAsync("/ai/mcp", Version, ("Authorization", "Bearer a"), ("Last-Event-ID", ids[0]));
        Answers.DataOf(await rest.ReadAsync()).ShouldBe([Result]);
        upstream.Requests.Count.ShouldBe(1);

        using var foreign = await gateway.GetAsync("/ai/mcp", Version, ("Authorization", "Bearer b"), ("Last-Event-ID", ids[0]));
        using var unknown = await gateway.GetAsync("/ai/mcp", Version, ("Authorization", "Bearer a"), ("Last-Event-ID", "upstream-1"));
        foreign.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        unknown.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
        upstream.Requests.Select(static request => request.Header("Last-Event-ID")).ShouldBe([null, ids[0], "upstream-1"]);
    }

    private static string Call(string id) => $$$"""{"method":"tools/call","params":{"id":"inner"},"jsonrpc":"2.0","id":{{{id}}}}""";
}
