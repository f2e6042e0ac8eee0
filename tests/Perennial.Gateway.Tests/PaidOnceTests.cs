using System.Net;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>A request with a key is sent once, whatever happens to it.</summary>
public class PaidOnceTests
{
    private const string Chat = "/ai/v1/chat/completions";

    public static TheoryData<string, Func<ScriptedExchange, Task>> Fates => new()
    {
        { "reset", exchange => exchange.ResetAsync() },
        { "502", exchange => exchange.RespondAsync(502, "", ("Content-Type", "text/plain")) },
        { "504", exchange => exchange.RespondAsync(504) },
        { "500", exchange => exchange.RespondAsync(500, "{\"error\":{\"message\":\"broken\"}}", ("Content-Type", "application/json")) },
        { "503 of a box", exchange => exchange.RespondAsync(503, "<html>busy</html>", ("Content-Type", "text/html")) },
        { "HTML", exchange => exchange.RespondAsync(200, "<html>login</html>", ("Content-Type", "text/html")) },
    };

    [Theory(Timeout = GatewayHost.Hang)]
    [MemberData(nameof(Fates), DisableDiscoveryEnumeration = true)]
    public async Task An_unknown_fate_is_remembered_and_repeated(string name, Func<ScriptedExchange, Task> answer)
    {
        await using var upstream = ScriptedServer.Start(answer, Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var repeat = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"), ("X-Forwarded-For", "192.0.2.2"));

        repeat.StatusCode.ShouldBe(first.StatusCode, name);
        (await repeat.ReadAsync()).ShouldBe(await first.ReadAsync(), name);
        upstream.Requests.Count.ShouldBe(1, name);
    }

    [Theory(Timeout = GatewayHost.Hang)]
    [InlineData(429)]
    [InlineData(400)]
    [InlineData(401)]
    [InlineData(503)]
    [InlineData(529)]
    public async Task A_refusal_passes_as_it_came_and_frees_the_key(int status)
    {
        const string body = """{"error":{"code":"slow_down"}}""";
        await using var upstream = ScriptedServer.Start(
            exchange => exchange.RespondAsync(status, body, ("Content-Type", "application/json"), ("retry-after-ms", "5")),
            Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var refused = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var paid = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));

        ((int)refused.StatusCode).ShouldBe(status);
        (await refused.ReadAsync()).ShouldBe(body);
        refused.Headers.GetValues("retry-after-ms").ShouldBe(["5"]);
        Answers.DataOf(await paid.ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        upstream.Requests.Count.ShouldBe(2);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_request_that_was_never_sent_frees_the_key()
    {
        var port = 0;
        await using (var nobody = ScriptedServer.Start(exchange => exchange.RespondAsync(200)))
        {
            port = nobody.Address.Port;
        }

        await using var gateway = await GatewayHost.StartAsync($"http://127.0.0.1:{port}");

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var second = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));

        foreach (var response in new[] { first, second })
        {
            response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
            response.Headers.Contains("x-should-retry").ShouldBeFalse();
            (await response.ReadAsync()).ShouldContain("upstream_unreachable");
        }
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_stream_is_repeated_from_its_start_or_after_an_event_in_its_own_dialect()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(3), ("x-request-id", "r")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "\"k\""));
        var text = await first.ReadAsync();
        using var repeat = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var rest = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"), ("Last-Event-ID", Answers.IdsOf(text)[1]));
        using var resumed = await gateway.GetAsync(first.Content.Headers.ContentLocation!.OriginalString);

        Answers.DataOf(text).ShouldBe([Answers.Chunk(0), Answers.Chunk(1), Answers.Chunk(2), "[DONE]"]);
        (await repeat.ReadAsync()).ShouldBe(text);
        Answers.DataOf(await rest.ReadAsync()).ShouldBe([Answers.Chunk(2), "[DONE]"]);
        (await resumed.ReadAsync()).ShouldBe(text);
        repeat.Headers.GetValues("x-request-id").ShouldBe(["r"]);
        repeat.Content.Headers.ContentLocation.ShouldBe(first.Content.Headers.ContentLocation);
        upstream.Requests.Count.ShouldBe(1);
        upstream.Requests[0].Text.ShouldBe(GatewayHost.Prompt);
        upstream.Requests[0].Header("Idempotency-Key").ShouldBe("\"k\"");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_stream_that_broke_off_is_repeated_as_one_that_broke_off()
    {
        await using var upstream = ScriptedServer.Start(Answers.Cut(Answers.Chunks(2)), Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        for (var n = 0; n < 2; n++)
        {
            using var response = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
            var (text, isAborted) = await response.ReadToBreakAsync();
            isAborted.ShouldBeTrue();
            text.ShouldContain("upstream_interrupted");
        }

        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_document_is_repeated_byte_for_byte()
    {
        const string document = "{\n  \"id\": 1,\n  \"choices\": []\n}\n";
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(
            200, document, ("Content-Type", "application/json; charset=utf-8"), ("X-Request-Id", "r-1")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        for (var n = 0; n < 2; n++)
        {
            using var response = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));

            (await response.ReadAsync()).ShouldBe(document);
            response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
            response.Content.Headers.ContentLength.ShouldBe(document.Length);
            response.Headers.GetValues("X-Request-Id").ShouldBe(["r-1"]);
        }

        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Credentials_tell_clients_apart_and_nothing_else_does()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        (string, string)[] sameClient = [("X-Forwarded-For", "192.0.2.9"), ("User-Agent", "other"), ("x-request-id", "2")];
        (string, string)[][] others =
            [[("Authorization", "Bearer b")], [("x-api-key", "b")], [("api-key", "b")], [("x-goog-api-key", "b")], [("Cookie", "s=b")]];

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var same = await gateway.PostAsync(Chat, [("Idempotency-Key", "k"), .. sameClient]);
        upstream.Requests.Count.ShouldBe(1);
        foreach (var other in others)
        {
            using var response = await gateway.PostAsync(Chat, [("Idempotency-Key", "k"), .. other]);
        }

        upstream.Requests.Count.ShouldBe(1 + others.Length);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Another_body_with_the_key_is_422_and_a_bad_key_400()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var first = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        using var other = await gateway.SendAsync(HttpMethod.Post, Chat, "{}", ("Idempotency-Key", "k"));
        using var bad = await gateway.PostAsync(Chat, ("Idempotency-Key", new string('x', 256)));

        other.StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
        bad.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task The_answer_waits_for_a_client_that_left_before_it_came()
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

        var first =
            gateway.SendAsync(HttpMethod.Post, new Uri(proxy.Address, Chat).AbsoluteUri, GatewayHost.Prompt, ("Idempotency-Key", "k"));
        await isAsked.Task;
        proxy.CutAll();
        await Should.ThrowAsync<HttpRequestException>(() => first);
        var second = gateway.PostAsync(Chat, ("Idempotency-Key", "k"));
        isAllowed.SetResult();

        using var response = await second;
        Answers.DataOf(await response.ReadAsync()).ShouldBe([Answers.Chunk(0), "[DONE]"]);
        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Repeats_at_the_same_time_share_one_request()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(5)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        var responses = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => gateway.PostAsync(Chat, ("Idempotency-Key", "k"))));

        foreach (var response in responses)
        {
            Answers.DataOf(await response.ReadAsync()).Length.ShouldBe(6);
            response.Dispose();
        }

        upstream.Requests.Count.ShouldBe(1);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task A_reused_connection_that_dies_does_not_make_the_platform_send_again()
    {
        await using var upstream = ScriptedServer.Start(
            exchange => exchange.RespondAsync(200, "{}", ("Content-Type", "application/json")), exchange => exchange.ResetAsync());
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var warm = await gateway.GetAsync("/ai/v1/models");
        using var response = await gateway.PostAsync(Chat, ("Idempotency-Key", "k"));

        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        response.Headers.GetValues("x-should-retry").ShouldBe(["false"]);
        upstream.Requests.Count.ShouldBe(2);
    }
}
