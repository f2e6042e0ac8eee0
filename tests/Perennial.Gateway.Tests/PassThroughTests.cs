using System.Net;
using System.Text;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>Requests that are no streams, and refusals, as they come.</summary>
public class PassThroughTests
{
    [Theory(Timeout = GatewayHost.Hang)]
    [InlineData("GET", "/ai/v1/models", "/v1/models")]
    [InlineData("POST", "/ai/v1/chat/completions?api-version=1", "/v1/chat/completions?api-version=1")]
    [InlineData("DELETE", "/ai/v1/files/a%2Fb%7E", "/v1/files/a%2Fb%7E")]
    [InlineData("PATCH", "/ai", "/")]
    [InlineData("GET", "/ai/", "/")]
    public async Task Keeps_method_path_query_and_answer(string method, string path, string target)
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(
            201, "{\n  \"id\": 1\n}", ("Content-Type", "application/json; charset=utf-8"), ("X-Request-Id", "r")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.SendAsync(new HttpMethod(method), path, method is "POST" ? "{}" : null);

        response.StatusCode.ShouldBe(HttpStatusCode.Created);
        (await response.ReadAsync()).ShouldBe("{\n  \"id\": 1\n}");
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json; charset=utf-8");
        response.Headers.GetValues("X-Request-Id").ShouldBe(["r"]);
        response.Content.Headers.ContentLocation.ShouldBeNull();
        upstream.Requests.Single().Method.ShouldBe(method);
        upstream.Requests.Single().Target.ShouldBe(target);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Adds_the_path_and_query_of_the_base_URL()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(204));
        await using var gateway = await GatewayHost.StartAsync(upstream, path: "/v1/?key=k%2B");

        using var first = await gateway.GetAsync("/ai/models?a=1");
        using var second = await gateway.GetAsync("/ai/models");

        first.StatusCode.ShouldBe(HttpStatusCode.NoContent);
        upstream.Requests.Select(request => request.Target).ShouldBe(["/v1/models?key=k%2B&a=1", "/v1/models?key=k%2B"]);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Passes_a_202_without_a_body()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(202));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/mcp");

        response.StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await response.ReadAsync()).ShouldBeEmpty();
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Passes_a_40_MB_upload_and_a_multipart_body()
    {
        await using var upstream = ScriptedServer.Start(exchange =>
            exchange.RespondAsync(200, exchange.Request.Body.Length.ToString(System.Globalization.CultureInfo.InvariantCulture)));
        await using var gateway = await GatewayHost.StartAsync(upstream);
        using var form = new MultipartFormDataContent("b") { { new ByteArrayContent(new byte[40_000_000]), "file", "f.bin" } };

        using var response =
            await gateway.Client.PostAsync(new Uri("/ai/v1/files", UriKind.Relative), form, TestContext.Current.CancellationToken);

        long.Parse(await response.ReadAsync(), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(40_000_000);
        upstream.Requests.Single().Header("Content-Type").ShouldBe("multipart/form-data; boundary=\"b\"");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Refuses_a_body_above_its_limit_and_names_the_limit()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(200));
        await using var gateway = await GatewayHost.StartAsync(upstream, options => options.MaxRequestBytes = 10);

        using var response = await gateway.PostAsync("/ai/v1/files");

        response.StatusCode.ShouldBe(HttpStatusCode.RequestEntityTooLarge);
        (await response.ReadAsync()).ShouldContain("MaxRequestBytes");
        upstream.Requests.ShouldBeEmpty();
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Passes_a_6_MB_event()
    {
        var big = $$"""{"object":"chat.completion.chunk","b64":"{{new string('x', 6_000_000)}}"}""";
        await using var upstream = ScriptedServer.Start(Answers.Stream($"data: {big}\n\ndata: [DONE]\n\n"));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        Answers.DataOf(await response.ReadAsync())[0].Length.ShouldBe(big.Length);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Passes_a_refusal_with_status_headers_and_body()
    {
        const string body = """{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}""";
        await using var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(
            400,
            body,
            ("Content-Type", "application/json"),
            ("x-request-id", "r-1"),
            ("retry-after-ms", "20"),
            ("x-should-retry", "false"),
            ("WWW-Authenticate", "Bearer")));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        response.StatusCode.ShouldBe(HttpStatusCode.BadRequest);
        (await response.ReadAsync()).ShouldBe(body);
        response.Content.Headers.ContentType!.ToString().ShouldBe("application/json");
        response.Headers.GetValues("x-request-id").ShouldBe(["r-1"]);
        response.Headers.GetValues("retry-after-ms").ShouldBe(["20"]);
        response.Headers.GetValues("x-should-retry").ShouldBe(["false"]);
        response.Headers.WwwAuthenticate.ToString().ShouldBe("Bearer");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Forwards_no_header_of_one_connection()
    {
        await using var upstream = ScriptedServer.Start(async exchange =>
        {
            await exchange.WriteHeadAsync(
                200, ("Connection", "close, X-Hop-Back"), ("X-Hop-Back", "1"), ("X-Kept", "2"), ("Content-Length", "0"));
            exchange.Close();
        });
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.GetAsync("/ai/v1/models", ("Connection", "X-Hop"), ("X-Hop", "1"), ("X-Stays", "2"));

        upstream.Requests.Single().Header("X-Hop").ShouldBeNull();
        upstream.Requests.Single().Header("X-Stays").ShouldBe("2");
        response.Headers.Contains("X-Hop-Back").ShouldBeFalse();
        response.Headers.GetValues("X-Kept").ShouldBe(["2"]);
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Says_504_only_after_its_own_limit()
    {
        await using var upstream = ScriptedServer.Start(exchange => exchange.WaitForClientCloseAsync());
        await using var gateway =
            await GatewayHost.StartAsync(upstream, options => options.FirstByteTimeout = TimeSpan.FromMilliseconds(200));

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        response.StatusCode.ShouldBe(HttpStatusCode.GatewayTimeout);
        response.Headers.GetValues("x-should-retry").ShouldBe(["false"]);
        (await response.ReadAsync()).ShouldContain("FirstByteTimeout");
        new GatewayOptions().FirstByteTimeout.ShouldBe(TimeSpan.FromMinutes(10));
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Says_502_where_nobody_answers_with_an_error_that_clients_of_providers_read()
    {
        string nobody;
        await using (var upstream = ScriptedServer.Start(exchange => exchange.RespondAsync(200)))
        {
            nobody = upstream.Address.AbsoluteUri;
        }

        await using var gateway = await GatewayHost.StartAsync(nobody);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");

        response.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        response.Headers.Contains("x-should-retry").ShouldBeFalse("nobody has acted");
        var error = System.Text.Json.JsonDocument.Parse(await response.ReadAsync()).RootElement;
        error.GetProperty("error").GetProperty("code").GetString().ShouldBe("upstream_unreachable");
        error.GetProperty("detail").GetString().ShouldBe("The gateway cannot connect to the upstream.");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Names_its_runs_with_the_prefix_of_the_proxy_in_front()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1)));
        await using var gateway = await GatewayHost.StartAsync(upstream);

        using var response = await gateway.PostAsync("/ai/v1/chat/completions", ("X-Forwarded-Prefix", "/api"));
        using var forged = await gateway.PostAsync("/ai/v1/chat/completions", ("X-Forwarded-Prefix", "//evil.example"));

        response.Content.Headers.ContentLocation!.OriginalString.ShouldStartWith("/api/ai/");
        forged.Content.Headers.ContentLocation!.OriginalString.ShouldStartWith("/ai/");
    }

    [Fact(Timeout = GatewayHost.Hang)]
    public async Task Sends_the_credentials_of_the_base_URL_and_never_shows_them()
    {
        await using var upstream = ScriptedServer.Start(Answers.Stream(Answers.Chat(1)), exchange => exchange.ResetAsync());
        await using var gateway =
            await GatewayHost.StartAsync(upstream.Address.AbsoluteUri.Replace("://", "://me:secret@", StringComparison.Ordinal));

        using var response = await gateway.PostAsync("/ai/v1/chat/completions");
        using var failed = await gateway.PostAsync("/ai/v1/chat/completions", ("Authorization", "Bearer own"));

        upstream.Requests[0].Header("Authorization").ShouldBe("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me:secret")));
        upstream.Requests[1].Header("Authorization").ShouldBe("Bearer own");
        failed.StatusCode.ShouldBe(HttpStatusCode.BadGateway);
        failed.Headers.GetValues("x-should-retry").ShouldBe(["false"], "the upstream may have acted");
        (response.ToString() + await response.ReadAsync() + failed + await failed.ReadAsync()).ShouldNotContain("secret");
        Should.Throw<ArgumentException>(() => Upstream.UpstreamAddress.Parse("ftp://me:secret@host")).Message.ShouldNotContain("secret");
    }
}
