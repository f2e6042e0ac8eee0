using System.Net;
using System.Text;
using System.Text.Json;

namespace Perennial.Testing.Tests;

public sealed class ScriptedProviderTests : IDisposable
{
    private readonly HttpClient _http = new();

    public static TheoryData<string, string, string, string> Documents => new()
    {
        { "openai-chat", "v1/chat/completions", """{"model":"gpt-x"}""", "choices/0/message/content" },
        { "openai-responses", "v1/responses", """{"model":"gpt-x"}""", "output/0/content/0/text" },
        { "anthropic", "v1/messages", """{"model":"claude-x"}""", "content/0/text" },
        { "ollama", "api/chat", """{"stream":false}""", "message/content" },
        { "ollama", "api/generate", """{"stream":false}""", "response" },
        { "gemini", "v1beta/models/gemini-x:generateContent", "{}", "candidates/0/content/parts/0/text" },
        { "gemini", "v1beta/models/gemini-x:streamGenerateContent", "{}", "0/candidates/0/content/parts/0/text" },
        { "a2a", "a2a", """{"jsonrpc":"2.0","id":7,"method":"message/send"}""", "result/artifacts/0/parts/0/text" },
    };

    public void Dispose() => _http.Dispose();

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Documents))]
    public async Task Answers_a_request_for_no_stream_with_one_document(string dialect, string path, string body, string text)
    {
        await using var server = Named(dialect).WithText("Hi").Start();
        using var response = await PostAsync(server, path, body);

        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        using var document = JsonDocument.Parse(await response.Content.ReadAsStringAsync(Wire.Cancelled));
        At(document.RootElement, text).GetString().ShouldBe("Hi");
    }

    [Theory(Timeout = 180_000)]
    [MemberData(nameof(Documents))]
    public async Task Cuts_a_document_in_its_middle(string dialect, string path, string body, string text)
    {
        text.ShouldNotBeEmpty();
        foreach (var script in new[] { Named(dialect).CutAfter(0), Named(dialect).CutInside(0), Named(dialect).ResetAfter(0) })
        {
            await using var server = script.Start();
            await Should.ThrowAsync<HttpRequestException>(async () =>
            {
                using var response = await PostAsync(server, path, body);
            });
        }

        await using var failing = Named(dialect).FailAfter(0).Start();
        using var failed = await PostAsync(failing, path, body);
        failed.StatusCode.ShouldBe(HttpStatusCode.InternalServerError);
    }

    [Fact(Timeout = 180_000)]
    public async Task Stalls_a_document_in_its_middle_until_resumed()
    {
        await using var server = ScriptedProvider.Anthropic.StallAfter(1).Start();
        var asking = PostAsync(server, "v1/messages", "{}");
        await server.WaitForPromptsAsync(1, Wire.Cancelled);
        asking.IsCompleted.ShouldBeFalse();

        server.ResumeAll();

        using var response = await asking;
        response.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact(Timeout = 180_000)]
    public async Task Stalls_before_the_head_until_resumed()
    {
        await using var server = ScriptedProvider.OpenAIChat.StallUnanswered().Start();
        var asking = _http.PostAsync(server.Endpoint, new StringContent(server.SampleRequest), Wire.Cancelled);
        await server.WaitForPromptsAsync(1, Wire.Cancelled);
        asking.IsCompleted.ShouldBeFalse();

        server.ResumeAll();

        using var response = await asking;
        (await response.Content.ReadAsStringAsync(Wire.Cancelled)).ShouldEndWith("data: [DONE]\n\n");
    }

    [Fact(Timeout = 180_000)]
    public async Task The_nth_prompt_gets_the_nth_script_and_other_requests_get_none()
    {
        await using var server = ProviderServer.Start(
            ScriptedProvider.Anthropic.Refuse(529, message: "Try later.", headers: [("retry-after", "3")]),
            ScriptedProvider.Anthropic.WithText("second"),
            ScriptedProvider.Anthropic.WithText("last"));

        using (var models = await _http.GetAsync(new Uri(server.BaseAddress, "v1/models"), Wire.Cancelled))
        {
            models.StatusCode.ShouldBe(HttpStatusCode.NotFound);
            (await models.Content.ReadAsStringAsync(Wire.Cancelled)).ShouldContain("not_found_error");
        }

        using (var refused = await PostAsync(server, "v1/messages", "{}"))
        {
            refused.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(3));
            var body = await refused.Content.ReadAsStringAsync(Wire.Cancelled);
            body.ShouldContain("""{"type":"overloaded_error","message":"Try later."}""");
        }

        string[] texts = ["second", "last", "last"];
        foreach (var text in texts)
        {
            using var answer = await PostAsync(server, "prefix/v1/messages", "{}");
            (await answer.Content.ReadAsStringAsync(Wire.Cancelled)).ShouldContain(text);
        }

        server.Requests.Count.ShouldBe(5);
        server.Prompts.Count.ShouldBe(3);
    }

    [Fact(Timeout = 180_000)]
    public async Task A_body_that_is_no_JSON_is_refused_as_the_provider_does()
    {
        await using var server = ScriptedProvider.OpenAIChat.Start();
        using var response = await PostAsync(server, "v1/chat/completions", "hello");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        server.Prompts.ShouldBeEmpty();
    }

    [Fact(Timeout = 180_000)]
    public async Task Headers_of_the_script_replace_those_of_the_provider()
    {
        await using var server = ScriptedProvider.OpenAIChat.WithHeader("X-Request-Id", "mine").WithHeader("x-region", "eu").Start();
        using var response = await _http.PostAsync(server.Endpoint, new StringContent(server.SampleRequest), Wire.Cancelled);

        response.Headers.GetValues("x-request-id").ShouldBe(["mine"]);
        response.Headers.GetValues("x-region").ShouldBe(["eu"]);
        response.Headers.GetValues("openai-version").ShouldBe(["2020-10-01"]);
    }

    [Theory(Timeout = 180_000)]
    [InlineData("", false)]
    [InlineData(""","stream_options":{"include_usage":true}""", true)]
    public async Task OpenAI_sends_the_usage_where_it_is_asked_for(string asked, bool isSent)
    {
        await using var server = ScriptedProvider.OpenAIChat.WithUsage(123, 45).Start();
        using var response = await PostAsync(server, "v1/chat/completions", $$"""{"model":"m","stream":true{{asked}}}""");

        var answer = await response.Content.ReadAsStringAsync(Wire.Cancelled);
        answer.Contains("""{"prompt_tokens":123,"completion_tokens":45,"total_tokens":168}""", StringComparison.Ordinal).ShouldBe(isSent);
        answer.ShouldContain("\"model\":\"m\"");
    }

    [Theory(Timeout = 180_000)]
    [InlineData("openai-chat", "\"tool_calls\"")]
    [InlineData("openai-responses", "response.function_call_arguments.done")]
    [InlineData("anthropic", "input_json_delta")]
    [InlineData("ollama", "{\"name\":\"weather\",\"arguments\":{\"city\":\"Köln\"}}")]
    [InlineData("gemini", "{\"name\":\"weather\",\"args\":{\"city\":\"Köln\"}}")]
    [InlineData("ai-sdk", "tool-input-available")]
    [InlineData("ag-ui", "TOOL_CALL_ARGS")]
    public async Task Calls_a_tool_and_is_still_complete(string dialect, string expected)
    {
        var script = Named(dialect).WithToolCall("weather", """{"city":"Köln"}""");
        await using var server = script.Start();
        using var response = await _http.PostAsync(server.Endpoint, new StringContent(server.SampleRequest), Wire.Cancelled);

        (await response.Content.ReadAsStringAsync(Wire.Cancelled)).ShouldContain(expected);
        (await ProviderReader.ReadAsync(script)).Reason.ShouldBe(StreamEndReason.Completed);
    }

    [Fact]
    public void Says_what_is_wrong_with_a_script()
    {
        var script = ScriptedProvider.Anthropic.WithDeltas(2);
        script.EventCount.ShouldBe(8);
        Should.Throw<InvalidOperationException>(() => script.CutAfter(8).Start()).Message.ShouldContain("8 events");
        Should.Throw<InvalidOperationException>(() => script.StallAfter(9).Start());
        Should.Throw<ArgumentOutOfRangeException>(() => script.ResetAfter(-1));
        Should.Throw<ArgumentOutOfRangeException>(() => script.Refuse(200));
        Should.Throw<ArgumentException>(() => script.WithToolCall("weather", "[]"));
        Should.Throw<ArgumentException>(() => script.WithToolCall("weather", "{"));
        Should.Throw<InvalidOperationException>(() => script.WithEventIds());
        Should.Throw<InvalidOperationException>(() => ScriptedProvider.Mcp.WithToolCall("weather", "{}"));
        Should.Throw<ArgumentException>(() => ScriptedProvider.A2A.FailAfter(1, "overloaded"));
        Should.Throw<ArgumentException>(() => ProviderServer.Start(script, ScriptedProvider.Ollama));
        Should.Throw<ArgumentException>(() => ProviderServer.Start());
    }

    private static ScriptedProvider Named(string dialect) =>
        ScriptedProvider.All.Single(provider => provider.Dialect.Name.Equals(dialect, StringComparison.Ordinal));

    private async Task<HttpResponseMessage> PostAsync(ProviderServer server, string path, string body) =>
        await _http.PostAsync(new Uri(server.Address, path), new StringContent(body, Encoding.UTF8, "application/json"), Wire.Cancelled);

    private static JsonElement At(JsonElement json, string path) => path.Split('/').Aggregate(json, static (element, name) =>
        int.TryParse(name, out var index) ? element[index] : element.GetProperty(name));
}
