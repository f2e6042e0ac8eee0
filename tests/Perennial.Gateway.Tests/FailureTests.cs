using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>An answer that is not whole never looks whole.</summary>
public class FailureTests
{
    private const string AnthropicStart = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{}}\n\n";

    public static TheoryData<string, string, string> Halves => new()
    {
        { "chat", "/ai/v1/chat/completions", Answers.Chunks(2) },
        { "chat inside an event", "/ai/v1/chat/completions", Answers.Chunks(2) + "data: {\"obj" },
        { "anthropic", "/ai/v1/messages", AnthropicStart },
        { "responses", "/ai/v1/responses", "event: response.created\ndata: {\"type\":\"response.created\",\"sequence_number\":0,\"response\":{\"id\":\"r\"}}\n\n" },
        { "gemini", "/ai/v1beta/models/g:streamGenerateContent?alt=sse", "data: {\"candidates\": [{\"content\": {}}],\"usageMetadata\": {}}\r\n\r\n" },
    };

    [Theory(Timeout = GatewayHost.Hang)]
    [MemberData(nameof(Halves))]
    public async Task A_clean_end_in_mid_answer_is_an_error_and_an_abort(string name, string path, string half)
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(half));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync(path);
        var (text, isAborted) = await response.ReadToBreakAsync();

        isAborted.ShouldBeTrue(name);
        text.ShouldContain("error", Case.Sensitive, name);
        text.ShouldNotContain("perennial", Case.Sensitive, name);
        (await StatusAsync(gateway, response)).ShouldBe("failed", name);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_reset_in_mid_answer_is_an_error_and_an_abort()
    {
        await using var upstream = ScriptedServer.Start(Answers.Cut(Answers.Chunks(2)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");
        var (text, isAborted) = await response.ReadToBreakAsync();

        isAborted.ShouldBeTrue();
        text.ShouldContain("\"code\":\"upstream_interrupted\"");
        (await StatusAsync(gateway, response)).ShouldBe("failed");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task The_providers_own_error_reaches_every_client_as_it_was_sent()
    {
        const string error = """{"error":{"message":"overloaded","type":"server_error","code":"overloaded_error","param":null}}""";
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chunks(1) + $"data: {error}\n\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");
        var (text, isAborted) = await response.ReadToBreakAsync();
        using var ours = await gateway.GetAsync(response.Content.Headers.ContentLocation!.OriginalString, ("Perennial-Protocol", "1"));

        isAborted.ShouldBeTrue();
        Answers.DataOf(text).ShouldBe([Answers.Chunk(0), error]);
        (await ours.ReadAsync()).ShouldContain(
            "event: perennial.failed\ndata: {\"error\":{\"message\":\"overloaded\",\"code\":\"overloaded_error\"");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_line_that_is_no_JSON_is_passed_on_and_not_dropped()
    {
        await using var upstream = ScriptedServer.Start(Answers.Lines("{\"a\":1}\noops\n{\"b\":2}\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/lines");

        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/x-ndjson");
        (await response.ReadAsync()).ShouldBe("{\"a\":1}\noops\n{\"b\":2}\n");
    }

    [Theory(Timeout = GatewayHost.Hang)]
    [InlineData("{\"model\":\"m\",\"created_at\":\"t\",\"done\":false}\n", false)]
    [InlineData("{\"model\":\"m\",\"created_at\":\"t\",\"done\":false}\n{\"model\":\"m\",\"created", false)]
    [InlineData("{\"model\":\"m\",\"created_at\":\"t\",\"done\":false}\n{\"model\":\"m\",\"created_at\":\"t\",\"done\":true,\"eval_count\":3}\n", true)]
    public async Task Ollama_is_whole_only_with_its_last_line(string lines, bool isWhole)
    {
        await using var upstream = ScriptedServer.Start(Answers.Lines(lines));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/api/chat", ("Accept", "application/json"));
        var (text, isAborted) = await response.ReadToBreakAsync();

        isAborted.ShouldBe(!isWhole);
        text.Contains("\"error\"", StringComparison.Ordinal).ShouldBe(!isWhole);
        if (isWhole)
        {
            text.ShouldBe(lines);
        }
    }

    [Theory(Timeout = GatewayHost.Hang)]
    [InlineData(true, "completed")]
    [InlineData(false, "failed")]
    public async Task A_stream_of_an_unknown_format_ends_with_its_response_unless_a_marker_is_required(bool isComplete, string status)
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream("event: x\ndata: 1\n\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream, options => options.UnmarkedEndIsComplete = isComplete);

        using var response = await gateway.PostAsync("/ai/feed");
        var (text, isAborted) = await response.ReadToBreakAsync();

        text.ShouldContain("event: x\ndata: 1\n\n");
        isAborted.ShouldBe(!isComplete);
        (await StatusAsync(gateway, response)).ShouldBe(status);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Silence_in_mid_stream_fails_after_the_limit()
    {
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync(Answers.Chunks(1));
            await exchange.WaitForClientCloseAsync();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream, options => options.IdleTimeout = TimeSpan.FromMilliseconds(200));

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        (await response.ReadToBreakAsync()).IsAborted.ShouldBeTrue();
        (await StatusAsync(gateway, response)).ShouldBe("failed");
    }

    private static async Task<string> StatusAsync(GatewayHost gateway, HttpResponseMessage response)
    {
        using var head = await gateway.SendAsync(HttpMethod.Head, response.Content.Headers.ContentLocation!.OriginalString, null);
        return head.Headers.GetValues("Perennial-Status").Single();
    }
}
