using System.Net;
using System.Text;
using System.Text.Json;

namespace Perennial.Testing.Tests;

/// <summary>What MCP and A2A clients ask before and beside a prompt, and the question of an AI SDK page that was reloaded.</summary>
public sealed class ScriptedProviderServersTests : IDisposable
{
    private readonly HttpClient _http = new();

    public void Dispose() => _http.Dispose();

    [Fact(Timeout = 180_000)]
    public async Task An_MCP_client_finds_the_tool_before_it_calls_it()
    {
        await using var server = ScriptedProvider.Mcp.Start();

        const string Initialize = """{"jsonrpc":"2.0","id":"a","method":"initialize","params":{"protocolVersion":"2025-06-18"}}""";
        using var initialized = await AskAsync(server.Endpoint, Initialize);
        initialized.RootElement.GetProperty("id").GetString().ShouldBe("a");
        initialized.RootElement.GetProperty("result").GetProperty("protocolVersion").GetString().ShouldBe("2025-06-18");
        using var tools = await AskAsync(server.Endpoint, """{"jsonrpc":"2.0","id":2,"method":"tools/list"}""");
        tools.RootElement.GetProperty("result").GetProperty("tools")[0].GetProperty("name").GetString().ShouldBe("ask");
        using var unknown = await AskAsync(server.Endpoint, """{"jsonrpc":"2.0","id":3,"method":"resources/list"}""");
        unknown.RootElement.GetProperty("error").GetProperty("code").GetInt32().ShouldBe(-32601);

        const string Initialized = """{"jsonrpc":"2.0","method":"notifications/initialized"}""";
        (await StatusAsync(HttpMethod.Post, server.Endpoint, Initialized)).ShouldBe(202);
        (await StatusAsync(HttpMethod.Get, server.Endpoint)).ShouldBe(405);
        server.Prompts.ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task The_result_of_MCP_has_the_id_of_the_request()
    {
        await using var server = ScriptedProvider.Mcp.WithText("Hi").Start();
        using var call = new StringContent("""{"jsonrpc":"2.0","id":"x","method":"tools/call"}""");
        using var response = await _http.PostAsync(server.Endpoint, call, Wire.Cancelled);

        var events = await response.Content.ReadAsStringAsync(Wire.Cancelled);

        events.ShouldStartWith("event: message\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\"");
        events.ShouldContain("\"id\":\"x\",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"Hi\"}]");
    }

    [Fact(Timeout = 180_000)]
    public async Task An_MCP_answer_with_ids_goes_on_after_the_last_event_that_arrived()
    {
        await using var server = ScriptedProvider.Mcp.WithText("a", "b", "c").WithEventIds().CutAfter(2).Start();
        using var prompt = new StringContent(server.SampleRequest);
        using var response = await _http.PostAsync(server.Endpoint, prompt, Wire.Cancelled);
        (await response.Content.ReadAsStringAsync(Wire.Cancelled)).Split("\n\n")[1].ShouldStartWith("id: 1-2\nevent: message\ndata: ");

        using var request = new HttpRequestMessage(HttpMethod.Get, server.Endpoint);
        request.Headers.Add("Last-Event-ID", "1-2");
        using var resumed = await _http.SendAsync(request, Wire.Cancelled);
        var events = (await resumed.Content.ReadAsStringAsync(Wire.Cancelled)).Split("\n\n");

        events[0].ShouldStartWith("id: 1-3\n");
        events[1].ShouldContain("\"result\"");
        events[2].ShouldBeEmpty();
        server.Prompts.Count.ShouldBe(1);

        using var unknown = new HttpRequestMessage(HttpMethod.Get, server.Endpoint);
        unknown.Headers.Add("Last-Event-ID", "7-2");
        using var refused = await _http.SendAsync(unknown, Wire.Cancelled);
        refused.StatusCode.ShouldBe(HttpStatusCode.MethodNotAllowed);
    }

    [Fact(Timeout = 180_000)]
    public async Task The_card_of_A2A_names_where_it_was_asked_for()
    {
        await using var server = ScriptedProvider.A2A.Start();
        var url = new Uri(server.BaseAddress, ".well-known/agent-card.json");
        using var card = JsonDocument.Parse(await _http.GetStringAsync(url, Wire.Cancelled));

        card.RootElement.GetProperty("url").GetString().ShouldBe(server.Endpoint.ToString());
    }

    [Fact(Timeout = 180_000)]
    public async Task A_page_of_the_AI_SDK_finds_no_stream_to_go_on_with()
    {
        await using var server = ScriptedProvider.AISdk.Start();

        (await StatusAsync(HttpMethod.Get, new Uri(server.Address, "api/chat/1/stream"))).ShouldBe(204);
        server.Prompts.ShouldBeEmpty();
    }

    private async Task<JsonDocument> AskAsync(Uri endpoint, string body)
    {
        using var response = await _http.PostAsync(endpoint, new StringContent(body, Encoding.UTF8, "application/json"), Wire.Cancelled);
        response.Headers.GetValues("mcp-session-id").ShouldBe(["session-1"]);
        return JsonDocument.Parse(await response.Content.ReadAsStringAsync(Wire.Cancelled));
    }

    private async Task<int> StatusAsync(HttpMethod method, Uri url, string? body = null)
    {
        using var request = new HttpRequestMessage(method, url) { Content = body is null ? null : new StringContent(body) };
        using var response = await _http.SendAsync(request, Wire.Cancelled);
        return (int)response.StatusCode;
    }
}
