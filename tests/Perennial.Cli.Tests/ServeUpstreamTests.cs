using System.Net;
using System.Text;
using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary><c>perennial serve --upstream</c>: the durable proxy before a server that numbers nothing.</summary>
public class ServeUpstreamTests
{
    private const string Prompt = """{"model":"m","stream":true,"messages":[]}""";

    private static readonly string[] Tokens = [.. Enumerable.Range(1, 300).Select(number => $$"""{"object":"chat.completion.chunk","token":"{{number}}"}""")];

    [Fact(Timeout = Cli.Hang)]
    public async Task Pays_a_prompt_once_however_often_its_reader_is_cut_off()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream(Events(Tokens) + "data: [DONE]\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", $"{upstream.Address}v1/chat/completions");
        await using var proxy = FaultProxy.Start(serve.Address, connection => connection < 5 ? FaultPlan.Cut(1200) : FaultPlan.None);
        await using var reader =
            Streams.Open(new SseTransportOptions { Endpoint = proxy.Address, Body = RequestBody.Text(Prompt, "application/json") });

        (await Streams.ReadAsync(reader)).ShouldBe([.. Tokens, "[DONE]"]);

        proxy.Cuts.ShouldBe(5);
        upstream.Requests.Count.ShouldBe(1);
        upstream.Requests[0].Method.ShouldBe("POST");
        upstream.Requests[0].Text.ShouldBe(Prompt);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Forwards_headers_and_says_nothing_of_them()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream("data: a\n\n"));
        await using var serve = await ServeProcess.StartAsync(
            "--upstream", $"{upstream.Address}ask?key=secret-query", "--header", "X-Api-Key: secret-own", "--verbose");

        using var response = await PostAsync(
            serve.Address, ("Authorization", "Bearer secret-client"), ("X-Api-Key", "secret-theirs"), ("Accept", "application/json"));
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        await serve.Cli.SignalAsync("INT");
        var run = await serve.Cli.EndAsync();

        text.ShouldContain("data: a\n");
        response.Content.Headers.ContentType!.MediaType.ShouldBe("text/event-stream");
        response.Content.Headers.ContentLocation.ShouldNotBeNull();
        upstream.Requests.Count.ShouldBe(1);
        upstream.Requests[0].Target.ShouldBe("/ask?key=secret-query");
        upstream.Requests[0].Header("Authorization").ShouldBe("Bearer secret-client");
        upstream.Requests[0].Header("X-Api-Key").ShouldBe("secret-own");
        upstream.Requests[0].Header("Host").ShouldBe(upstream.Address.Authority);
        upstream.Requests[0].Header("Content-Type").ShouldBe("application/json");
        (run.Output + run.Error).ShouldNotContain("secret");
        run.Error.ShouldNotBeEmpty();
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Numbers_json_lines_as_well_and_passes_on_event_types()
    {
        await using var lines = ScriptedServer.Start(async exchange =>
        {
            await exchange.StartChunkedAsync("application/x-ndjson");
            await exchange.WriteChunkAsync("""{"response":"a"}""" + "\n" + """{"done":true,"total":1}""" + "\n");
            await exchange.EndChunksAsync();
        });
        await using var events = ScriptedServer.Start(Script.Stream("event: ping\ndata: {}\n\n"));
        await using var first = await ServeProcess.StartAsync("--upstream", lines.Address.AbsoluteUri, "--data", "{}");
        await using var second = await ServeProcess.StartAsync("--upstream", events.Address.AbsoluteUri, "--method", "GET");

        (await Streams.ReadAsync(first.Address)).ShouldBe(["""{"response":"a"}""", """{"done":true,"total":1}"""]);
        var cli = await Cli.RunAsync("connect", second.Address.AbsoluteUri, "--transport", "sse", "--json");
        cli.Output.ShouldContain("\"type\":\"ping\"");
        lines.Requests.Single().Method.ShouldBe("POST");
        events.Requests.Single().Method.ShouldBe("GET");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Does_not_pass_an_upstream_that_broke_off_for_a_complete_one()
    {
        await using var upstream = ScriptedServer.Start(Script.Cut("data: half\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        using var response = await PostAsync(serve.Address, ("Perennial-Protocol", "1"));
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        text.ShouldContain("data: half\n");
        text.ShouldContain("event: perennial.failed\n");
        text.ShouldContain("\"code\":\"upstream_interrupted\"");
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Takes_an_end_without_the_marker_for_a_loss_where_it_is_told_to()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream("data: half\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri, "--on-end", "require-marker");

        using var response = await PostAsync(serve.Address, ("Perennial-Protocol", "1"));

        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain(
            "\"code\":\"upstream_interrupted\"");
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Passes_on_an_answer_that_is_no_stream_as_it_is()
    {
        const string document = "{\n  \"id\": 1,\n  \"choices\": []\n}\n";
        await using var upstream = ScriptedServer.Start(
            exchange => exchange.RespondAsync(200, document, ("Content-Type", "application/json; charset=utf-8"), ("X-Request-Id", "r-1")));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        for (var n = 0; n < 2; n++)
        {
            using var response = await PostAsync(serve.Address, ("Idempotency-Key", "one"));

            response.StatusCode.ShouldBe(HttpStatusCode.OK);
            (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(document);
            response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
            response.Headers.GetValues("X-Request-Id").ShouldBe(["r-1"]);
            response.Content.Headers.ContentLocation.ShouldBeNull();
        }

        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Pays_a_prompt_once_where_the_line_is_lost_before_the_answer_is_seen()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream(Events(Tokens) + "data: [DONE]\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);
        await using var proxy = FaultProxy.Start(serve.Address, connection => connection == 0 ? FaultPlan.Cut(0) : FaultPlan.None);

        await Should.ThrowAsync<HttpRequestException>(() => PostAsync(proxy.Address, ("Idempotency-Key", "\"one\"")));
        using var response = await PostAsync(proxy.Address, ("Idempotency-Key", "\"one\""));
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        foreach (var token in Tokens)
        {
            text.ShouldContain($"data: {token}\n");
        }

        (await Streams.ReadAsync(new Uri(serve.Address, response.Content.Headers.ContentLocation.ShouldNotBeNull())))
            .ShouldBe([.. Tokens, "[DONE]"]);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Pays_a_prompt_once_where_its_client_leaves_before_the_upstream_has_answered()
    {
        var isAsked = new TaskCompletionSource();
        var isAllowed = new TaskCompletionSource();
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            isAsked.TrySetResult();
            await isAllowed.Task;
            await Script.Stream("data: a\n\n")(exchange);
        });
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);
        await using var proxy = FaultProxy.Start(serve.Address);

        var first = PostAsync(proxy.Address, ("Idempotency-Key", "one"));
        await isAsked.Task;
        proxy.CutAll();
        await Should.ThrowAsync<HttpRequestException>(() => first);
        var second = PostAsync(proxy.Address, ("Idempotency-Key", "one"));
        isAllowed.SetResult();

        using var response = await second;
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("data: a\n");
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Repeats_an_answer_that_leaves_open_whether_the_upstream_acted()
    {
        await using var upstream = ScriptedServer.Start(Script.Status(502), Script.Stream("data: second\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        using var first = await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("X-Forwarded-For", "192.0.2.1"));
        using var repeat = await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("X-Forwarded-For", "192.0.2.2"));

        first.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        repeat.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task A_key_gives_nobody_the_answer_to_another_request_or_of_another_user()
    {
        await using var upstream =
            ScriptedServer.Start(Script.Status(429), Script.Stream("data: first\n\n"), Script.Stream("data: second\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        using var refused = await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("Authorization", "Bearer a"));
        using var mine = await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("Authorization", "Bearer a"));
        using var theirs = await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("Authorization", "Bearer b"));
        using var again =
            await PostAsync(serve.Address, ("Idempotency-Key", "one"), ("Authorization", "Bearer a"), ("x-stainless-retry-count", "1"));
        using var other = await PostAsync(serve.Address, "another prompt", ("Idempotency-Key", "one"), ("Authorization", "Bearer a"));
        using var none = await PostAsync(serve.Address, ("Idempotency-Key", new string('x', 256)));

        refused.StatusCode.ShouldBe(HttpStatusCode.TooManyRequests, "what was refused was not paid for, and may be asked again");
        (await mine.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("data: first\n");
        (await theirs.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("data: second\n");
        (await again.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldContain("data: first\n");
        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        other.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        none.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        upstream.Requests.Count.ShouldBe(3);
    }

    [Theory(Timeout = Cli.Hang)]
    [InlineData(401)]
    [InlineData(429)]
    [InlineData(400)]
    public async Task Passes_on_a_refusal_as_it_came(int status)
    {
        const string error = """{"error":{"message":"no","code":"context_length_exceeded"}}""";
        await using var upstream = ScriptedServer.Start(
            exchange =>
                exchange.RespondAsync(status, error, ("Content-Type", "application/json"), ("Retry-After", "7"), ("x-request-id", "r-1")));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        using var response = await PostAsync(serve.Address);

        ((int)response.StatusCode).ShouldBe(status);
        (await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).ShouldBe(error);
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/json");
        response.Headers.RetryAfter!.Delta.ShouldBe(TimeSpan.FromSeconds(7));
        response.Headers.GetValues("x-request-id").ShouldBe(["r-1"]);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Forwards_every_path_and_method_below_a_base_URL()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(200, "{}", ("Content-Type", "application/json")));
        await using var serve = await ServeProcess.StartAsync("--upstream", $"{upstream.Address}base/");
        using var client = new HttpClient { BaseAddress = serve.Address };

        (await client.GetStringAsync(new Uri("/v1/models?limit=2", UriKind.Relative), TestContext.Current.CancellationToken))
            .ShouldBe("{}");
        using var deleted = await client.DeleteAsync(new Uri("/v1/files/f", UriKind.Relative), TestContext.Current.CancellationToken);

        upstream.Requests.Select(request => $"{request.Method} {request.Target}").ShouldBe(
            ["GET /base/v1/models?limit=2", "DELETE /base/v1/files/f"]);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Never_shows_the_password_of_the_upstream()
    {
        await using var upstream = ScriptedServer.Start(Script.Status(204));
        await using var serve = await ServeProcess.StartAsync(
            "--verbose", "--upstream", upstream.Address.AbsoluteUri.Replace("://", "://me:secret@", StringComparison.Ordinal));

        using var response = await PostAsync(serve.Address);
        await serve.Cli.SignalAsync("INT");
        var run = await serve.Cli.EndAsync();
        var refused = await Cli.RunAsync("serve", "--upstream", "ftp://me:secret@host");

        upstream.Requests.Single().Header("Authorization").ShouldBe("Basic bWU6c2VjcmV0");
        (run.Output + run.Error + refused.Output + refused.Error).ShouldNotContain("secret");
        refused.ExitCode.ShouldBe(2);
        refused.Error.ShouldContain("--upstream");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Lets_pages_of_an_allowed_origin_in()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream("data: a\n\n"));
        await using var serve =
            await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri, "--allow-origin", "https://example.com");

        using var allowed = await PostAsync(serve.Address, ("Origin", "https://example.com"));
        using var foreign = await PostAsync(serve.Address, ("Origin", "https://other.example"));
        var unusable = await Cli.RunAsync("serve", "--upstream", upstream.Address.AbsoluteUri, "--allow-origin", "example.com/path");

        allowed.Headers.GetValues("Access-Control-Allow-Origin").ShouldBe(["https://example.com"]);
        foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        unusable.ExitCode.ShouldBe(2);
        unusable.Error.ShouldContain("--allow-origin");
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Says_502_where_nobody_answers()
    {
        Uri nobody;
        await using (var upstream = ScriptedServer.Start(Script.Status(200)))
        {
            nobody = upstream.Address;
        }

        await using var serve = await ServeProcess.StartAsync("--upstream", nobody.AbsoluteUri);

        using var response = await PostAsync(serve.Address);

        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
    }

    [Fact(Timeout = Cli.Hang)]
    public async Task Lets_no_page_of_another_origin_spend_what_prompts_cost()
    {
        await using var upstream = ScriptedServer.Start(Script.Stream("data: a\n\n"));
        await using var serve = await ServeProcess.StartAsync("--upstream", upstream.Address.AbsoluteUri);

        using var foreign = await PostAsync(serve.Address, ("Origin", "https://example.com"));
        using var rebound = await PostAsync(serve.Address, ("Host", "example.com"));

        foreign.StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        rebound.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        upstream.Requests.ShouldBeEmpty();
    }

    private static string Events(IEnumerable<string> texts) => string.Concat(texts.Select(text => $"data: {text}\n\n"));

    private static Task<HttpResponseMessage> PostAsync(Uri address, params (string Name, string Value)[] headers) =>
        PostAsync(address, Prompt, headers);

    private static async Task<HttpResponseMessage> PostAsync(Uri address, string prompt, params (string Name, string Value)[] headers)
    {
        using var client = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StringContent(prompt, Encoding.UTF8, new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")) };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        return await client.SendAsync(request, TestContext.Current.CancellationToken);
    }
}
