using System.Net;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>A stream of the upstream becomes a run in its own format.</summary>
public class StreamTests
{
    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Answers_with_the_providers_events_and_headers_and_nothing_of_Perennial()
    {
        await using var upstream =
            ScriptedServer.Start(Answers.Stream(Answers.Chat(3), ("x-request-id", "r-1"), ("openai-version", "2"), ("Set-Cookie", "a=b")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions", ("Accept", "application/json"));
        var body = await response.ReadAsync();

        response.StatusCode.ShouldBe(HttpStatusCode.OK);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        response.Headers.GetValues("x-request-id").ShouldBe(["r-1"]);
        response.Headers.GetValues("openai-version").ShouldBe(["2"]);
        response.Headers.GetValues("Set-Cookie").ShouldBe(["a=b"]);
        Answers.DataOf(body).ShouldBe([Answers.Chunk(0), Answers.Chunk(1), Answers.Chunk(2), "[DONE]"]);
        body.ShouldNotContain("perennial");
        upstream.Requests.Single().Target.ShouldBe("/v1/chat/completions");
        upstream.Requests.Single().Text.ShouldBe(GatewayHost.Prompt);
        upstream.Requests.Single().Header("Host").ShouldBe(upstream.Address.Authority);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Resumes_at_its_location_after_any_event_with_the_providers_headers()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(3), ("x-request-id", "r-1"), ("Set-Cookie", "a=b")));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var first = await gateway.PostAsync("/ai/v1/chat/completions");
        var ids = Answers.IdsOf(await first.ReadAsync());
        var location = first.Content.Headers.ContentLocation!.OriginalString;

        using var rest = await gateway.GetAsync(location, ("Last-Event-ID", ids[1]));
        using var whole = await gateway.GetAsync(location);

        location.ShouldStartWith("/ai/");
        Answers.DataOf(await rest.ReadAsync()).ShouldBe([Answers.Chunk(2), "[DONE]"]);
        Answers.DataOf(await whole.ReadAsync()).ShouldBe([Answers.Chunk(0), Answers.Chunk(1), Answers.Chunk(2), "[DONE]"]);
        rest.Headers.GetValues("x-request-id").ShouldBe(["r-1"]);
        rest.Headers.Contains("Set-Cookie").ShouldBeFalse("a cookie is for the client that the provider answered");
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Hands_on_each_event_when_it_comes()
    {
        var next = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync($"data: {Answers.Chunk(0)}\n\n");
            await next.Task;
            await exchange.WriteChunkAsync("data: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken));
        string? line;
        do
        {
            line = await reader.ReadLineAsync(TestContext.Current.CancellationToken);
        }
        while (line?.StartsWith("data: ", StringComparison.Ordinal) != true);

        line.ShouldBe($"data: {Answers.Chunk(0)}");
        next.SetResult();
        (await reader.ReadToEndAsync(TestContext.Current.CancellationToken)).ShouldContain("[DONE]");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Reads_on_for_a_client_that_has_left()
    {
        var next = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync(Answers.Chunks(1));
            await next.Task;
            await exchange.WriteChunkAsync("data: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);
        string location;
        using (var response = await gateway.PostAsync("/ai/v1/chat/completions"))
        {
            location = response.Content.Headers.ContentLocation!.OriginalString;
        }

        next.SetResult();
        using var whole = await gateway.GetAsync(location);

        Answers.DataOf(await whole.ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Recognizes_a_stream_without_a_content_type_by_its_first_bytes()
    {
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(200, ("Transfer-Encoding", "chunked"));
            await exchange.WriteChunkAsync("da");
            await exchange.WriteChunkAsync($"ta: {Answers.Chunk(0)}\n\ndata: [DONE]\n\n");
            await exchange.EndChunksAsync();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        Answers.DataOf(await response.ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        response.Content.Headers.ContentLocation.ShouldNotBeNull();
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Decodes_a_compressed_stream()
    {
        var events = new MemoryStream();
        await using (var zip = new System.IO.Compression.GZipStream(events, System.IO.Compression.CompressionMode.Compress, leaveOpen: true))
        {
            await zip.WriteAsync(System.Text.Encoding.UTF8.GetBytes(Answers.Chat(2)), TestContext.Current.CancellationToken);
        }

        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(
            200, events.ToArray(), ("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions", ("Accept-Encoding", "gzip"));

        Answers.DataOf(await response.ReadAsync()).ShouldBe([Answers.Chunk(0), Answers.Chunk(1), "[DONE]"]);
        response.Content.Headers.ContentEncoding.ShouldBeEmpty();
        upstream.Requests.Single().Header("Accept-Encoding").ShouldBe("gzip");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Is_stopped_by_a_DELETE_at_its_location()
    {
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartEventStreamAsync();
            await exchange.WriteChunkAsync(Answers.Chunks(1));
            await exchange.WaitForClientCloseAsync();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        using var stopped = await gateway.SendAsync(HttpMethod.Delete, response.Content.Headers.ContentLocation!.OriginalString, null);

        (await stopped.ReadAsync()).ShouldBe("""{"status":"stopped"}""");
        var (text, isAborted) = await response.ReadToBreakAsync();
        text.ShouldContain("\"error\"");
        isAborted.ShouldBeTrue();
    }
}
