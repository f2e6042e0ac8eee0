using System.Text;
using Perennial.Testing;
using Perennial.Tests.Fixtures;

namespace Perennial.Chats.Tests;

/// <summary>What <see cref="ResumableStreamHandler"/> sends and hands over, byte for byte.</summary>
public class HandlerBodyTests
{
    private const string Half = "data: {\"object\":\"chat.completion.chunk\",\"n\":1}\n\n";

    private static readonly ResumableStreamOptions Quick =
        new() { Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.FromMilliseconds(1) } };

    [Fact]
    public async Task A_stream_of_another_server_passes_byte_for_byte()
    {
        const string Body = ": hello\r\n\r\nid: 7\r\nevent: x\r\nretry: 5\r\ndata:  spaced \r\n\r\n" + "data: {\"object\":\"chat.completion.chunk\"}\n\ndata: [DONE]";
        await using var server = ScriptedServer.Start(exchange => StreamAsync(exchange, Body));

        (await PostAsync(server)).ShouldBe(Body);
    }

    [Fact]
    public async Task An_unknown_format_passes_and_ends_as_it_ends()
    {
        await using var server = ScriptedServer.Start(exchange => StreamAsync(exchange, "data: one\n\ndata: tw"));

        (await PostAsync(server)).ShouldBe("data: one\n\ndata: tw");
    }

    [Fact]
    public async Task A_known_format_without_its_end_throws_after_all_its_bytes()
    {
        await using var server = ScriptedServer.Start(exchange => StreamAsync(exchange, Half));
        using var http = Client();
        using var response = await http.SendAsync(Prompt(server), HttpCompletionOption.ResponseHeadersRead).Soon();
        await using var body = await response.Content.ReadAsStreamAsync();
        using var read = new MemoryStream();

        var thrown = await Should.ThrowAsync<IOException>(body.CopyToAsync(read)).Soon();

        thrown.Message.ShouldContain("openai-chat");
        Encoding.UTF8.GetString(read.ToArray()).ShouldBe(Half);
    }

    [Fact]
    public async Task Responses_that_are_no_streams_and_requests_that_are_no_prompts_are_untouched()
    {
        await using var server = ScriptedServer.Start(
            exchange =>
                exchange.RespondAsync(200, "{\"object\":\"chat.completion\"}", ("Content-Type", "application/json"), ("X-Request-Id", "7")),
            exchange => exchange.RespondAsync(429, "{}", ("Content-Type", "application/json"), ("Retry-After", "3")),
            exchange => exchange.RespondAsync(200, "uploaded"));
        using var http = Client();

        using var document = await http.SendAsync(Prompt(server)).Soon();
        using var refusal = await http.SendAsync(Prompt(server)).Soon();
        using var upload = await http.PostAsync(server.Address, new MultipartFormDataContent { { new StringContent("x"), "file" } }).Soon();

        (await document.Content.ReadAsStringAsync()).ShouldBe("{\"object\":\"chat.completion\"}");
        document.Headers.GetValues("X-Request-Id").ShouldBe(["7"]);
        ((int)refusal.StatusCode, refusal.Headers.RetryAfter!.Delta).ShouldBe((429, TimeSpan.FromSeconds(3)));
        server.Requests[0].Header("Idempotency-Key").ShouldNotBeNull();
        server.Requests[2].Header("Idempotency-Key").ShouldBeNull();
    }

    [Fact]
    public async Task A_cut_stream_of_a_Perennial_server_goes_on_at_its_resource_with_the_headers_of_the_request()
    {
        await using var server = ScriptedServer.Start(
            async exchange =>
            {
                await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"), ("Content-Location", "/runs/1"), ("X-Request-Id", "7"));
                await exchange.WriteChunkAsync(":\nid: e-1\n" + Half + "id: e-2\ndata: {\"object\":\"chat.completion.ch");
                await exchange.ResetAsync();
            },
            async exchange =>
            {
                await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"));
                await exchange.WriteChunkAsync("id: e-2\n" + Half + "id: e-3\nevent: perennial.completed\ndata: [DONE]\n\n");
                await exchange.EndChunksAsync();
            });
        using var http = Client();
        using var prompt = Prompt(server);
        prompt.Headers.Add("Authorization", "Bearer key");
        prompt.Headers.Add("Idempotency-Key", "mine");

        using var response = await http.SendAsync(prompt, HttpCompletionOption.ResponseHeadersRead).Soon();

        response.Headers.GetValues("X-Request-Id").ShouldBe(["7"]);
        (await response.Content.ReadAsStringAsync().Soon()).ShouldBe(Half + Half + "data: [DONE]\n\n");
        server.Requests.Select(request => (request.Method, request.Target)).ShouldBe(
            [("POST", "/v1/chat/completions"), ("GET", "/runs/1")]);
        server.Requests[0].Header("Idempotency-Key").ShouldBe("mine");
        server.Requests[1].Header("Last-Event-ID").ShouldBe("e-1");
        server.Requests[1].Header("Authorization").ShouldBe("Bearer key");
        server.Requests[1].Header("Idempotency-Key").ShouldBeNull();
    }

    [Theory]
    [InlineData("event: perennial.failed\ndata: {\"error\":{\"message\":\"gone\",\"code\":\"producer_lost\"}}\n\n")]
    [InlineData("event: perennial.stopped\ndata: [DONE]\n\n")]
    [InlineData("event: perennial.gap\ndata: {\"requested\":\"e-1\",\"resumesAt\":\"e-9\"}\n\nid: e-9\ndata: x\n\n")]
    public async Task A_run_that_is_not_whole_throws_and_shows_nothing_of_Perennial(string end)
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"), ("Content-Location", "/runs/1"));
            await exchange.WriteChunkAsync("id: e-1\n" + Half + end);
            await exchange.EndChunksAsync();
        });
        using var http = Client();
        using var response = await http.SendAsync(Prompt(server), HttpCompletionOption.ResponseHeadersRead).Soon();
        await using var body = await response.Content.ReadAsStreamAsync();
        using var read = new MemoryStream();

        await Should.ThrowAsync<IOException>(body.CopyToAsync(read)).Soon();

        Encoding.UTF8.GetString(read.ToArray()).ShouldBe(Half);
    }

    [Fact]
    public async Task Synchronous_callers_read_the_same()
    {
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync(("Perennial-Protocol", "1"), ("Content-Location", "/runs/1"));
            await exchange.WriteChunkAsync("id: e-1\n" + Half + "event: perennial.completed\ndata: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });

        var read = await Task.Run(() =>
        {
            using var http = Client();
            using var response = http.Send(Prompt(server), HttpCompletionOption.ResponseHeadersRead);
            using var reader = new StreamReader(response.Content.ReadAsStream());
            return reader.ReadToEnd();
        }).Soon();

        read.ShouldBe(Half + "data: [DONE]\n\n");
    }

    [Fact]
    public async Task A_prompt_whose_outcome_is_unknown_is_repeated_with_its_key_where_that_starts_nothing_new()
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.RespondAsync(503, "{}", ("Content-Type", "application/json"), ("Perennial-Starts", "once")),
            StreamedAsync,
            exchange => exchange.ResetAsync(),
            StreamedAsync);
        using var http = Client();

        (await http.SendAsync(Prompt(server, "/once")).Soon()).Dispose();
        (await http.SendAsync(Prompt(server, "/once")).Soon()).Dispose();
        using var response = await http.SendAsync(Prompt(server, "/once")).Soon();

        (await response.Content.ReadAsStringAsync()).ShouldBe(Half + "data: [DONE]\n\n");
        server.Requests.Count.ShouldBe(4);
        server.Requests[3].Header("Idempotency-Key").ShouldBe(server.Requests[2].Header("Idempotency-Key"));
        server.Requests[3].Header("Idempotency-Key").ShouldNotBe(server.Requests[1].Header("Idempotency-Key"));

        static async Task StreamedAsync(ScriptedExchange exchange)
        {
            await exchange.StartEventStreamAsync(
                ("Perennial-Protocol", "1"), ("Perennial-Starts", "once"), ("Content-Location", "/runs/1"));
            await exchange.WriteChunkAsync("id: e-1\n" + Half + "event: perennial.completed\ndata: [DONE]\n\n");
            await exchange.EndChunksAsync();
        }
    }

    [Fact]
    public async Task A_prompt_whose_outcome_is_unknown_is_the_sdks_to_repeat_where_the_caller_says_so()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.ResetAsync());
        using var strict = Client();
        using var lenient = new HttpClient(new ResumableStreamHandler(new SocketsHttpHandler(), Quick with { AllowReplay = true }));

        (await Should.ThrowAsync<TransportException>(strict.SendAsync(Prompt(server))).Soon()).Code.ShouldBe(
            TransportErrorCode.Interrupted);
        await Should.ThrowAsync<HttpRequestException>(lenient.SendAsync(Prompt(server))).Soon();
        server.Requests.Count.ShouldBe(2);
    }

    private static HttpClient Client() => new(new ResumableStreamHandler(new SocketsHttpHandler(), Quick));

    private static HttpRequestMessage Prompt(ScriptedServer server, string path = "/v1/chat/completions") =>
        new(HttpMethod.Post, new Uri(server.Address, path)) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };

    private static async Task<string> PostAsync(ScriptedServer server)
    {
        using var http = Client();
        using var response = await http.SendAsync(Prompt(server), HttpCompletionOption.ResponseHeadersRead).Soon();
        return await response.Content.ReadAsStringAsync().Soon();
    }

    private static async Task StreamAsync(ScriptedExchange exchange, string body)
    {
        await exchange.StartEventStreamAsync();
        foreach (var piece in body.Chunk(7))
        {
            await exchange.WriteChunkAsync(new string(piece));
        }

        await exchange.EndChunksAsync();
    }
}
