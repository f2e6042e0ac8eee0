using Perennial.Http;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>Redirects (RFC 9110, 15.4) are followed without taking credentials to another origin.</summary>
public class RedirectTests
{
    [Theory]
    [InlineData(301)]
    [InlineData(302)]
    [InlineData(303)]
    [InlineData(307)]
    [InlineData(308)]
    public async Task A_get_is_followed(int status)
    {
        await using var server = ScriptedServer.Start(Status(status, ("Location", "/there?x=1")), Stream(Events(1)));
        await using var probe = new TransportProbe(Options(server) with { LastEventId = "0" });

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        server.Requests.Select(request => (request.Method, request.Target, request.Header("Last-Event-ID")))
            .ShouldBe([("GET", "/", "0"), ("GET", "/there?x=1", "0")]);
    }

    [Fact]
    public async Task A_password_is_given_to_the_endpoint_alone()
    {
        static Task Ask(ScriptedExchange exchange) => exchange.Request.Header("Authorization") is null
            ? exchange.RespondAsync(401, "", ("WWW-Authenticate", "Basic realm=\"x\""))
            : Stream(Events(1))(exchange);
        await using var elsewhere = ScriptedServer.Start(Ask);
        await using var home = ScriptedServer.Start(exchange =>
            exchange.Request.Target is "/away"
                ? exchange.RespondAsync(302, "", ("Location", elsewhere.Address.ToString()))
                : Ask(exchange));
        var http = new HttpConnectionOptions { Credentials = new System.Net.NetworkCredential("user", "secret") };
        await using var atHome = new TransportProbe(Options(home) with { Http = http });
        await using var away = new TransportProbe(Options(home) with { Endpoint = new Uri(home.Address, "/away"), Http = http });

        (await atHome.ReadTextsAsync()).ShouldBe(["1"]);
        await Should.ThrowAsync<TransportException>(away.ReadTextsAsync());

        elsewhere.Requests.ShouldNotBeEmpty();
        elsewhere.Requests.ShouldAllBe(request => request.Header("Authorization") == null);
    }

    [Theory]
    [InlineData(301, "GET", "")]
    [InlineData(302, "GET", "")]
    [InlineData(303, "GET", "")]
    [InlineData(307, "POST", "hello")]
    [InlineData(308, "POST", "hello")]
    public async Task A_post_becomes_a_get_or_keeps_its_body_as_the_status_says(int status, string method, string body)
    {
        await using var server = ScriptedServer.Start(Status(status, ("Location", "/there")), Stream(Events(1)));
        await using var probe = new TransportProbe(Options(server) with { Body = RequestBody.Text("hello") });

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        var followed = server.Requests[1];
        (followed.Method, followed.Target, followed.Text).ShouldBe((method, "/there", body));
        followed.Headers.Contains("Content-Type").ShouldBe(body.Length > 0);
    }

    [Theory]
    [InlineData(302)]
    [InlineData(307)]
    public async Task Credentials_and_custom_headers_stay_at_the_origin(int status)
    {
        await using var other = ScriptedServer.Start(Stream(Events(1)));
        await using var server = ScriptedServer.Start(
            Status(307, ("Location", "/here")),
            Status(status, ("Location", other.Address.AbsoluteUri)));
        await using var probe = new TransportProbe(Options(server) with
        {
            LastEventId = "0",
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Cookie"] = "session=secret", ["X-Tenant"] = "acme" },
            ConfigureRequest = (request, _) =>
            {
                request.Headers.Authorization = new("Bearer", "secret");
                request.Headers.Add("X-Signature", "secret");
                return ValueTask.CompletedTask;
            },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        string[] confidential = ["Authorization", "Cookie", "X-Tenant", "X-Signature"];
        server.Requests.Count.ShouldBe(2);
        server.Requests.ShouldAllBe(request => confidential.All(request.Headers.Contains));
        var abroad = other.Requests.ShouldHaveSingleItem();
        confidential.ShouldAllBe(name => !abroad.Headers.Contains(name));
        abroad.Header("Last-Event-ID").ShouldBe("0");
        abroad.Header("Accept").ShouldBe("text/event-stream");
    }

    [Fact]
    public async Task Credentials_do_not_come_back_by_way_of_another_origin()
    {
        Uri? home = null;
        await using var other = ScriptedServer.Start(exchange => exchange.RespondAsync(307, "", ("Location", home!.AbsoluteUri)));
        await using var server = ScriptedServer.Start(Status(307, ("Location", other.Address.AbsoluteUri)), Stream(Events(1)));
        home = server.Address;
        await using var probe = new TransportProbe(Options(server) with
        {
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["Authorization"] = "Bearer secret" },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["1"]);

        server.Requests[1].Headers.Contains("Authorization").ShouldBeFalse();
    }

    [Fact]
    public async Task Every_attempt_starts_at_the_endpoint_again()
    {
        await using var server = ScriptedServer.Start(
            Status(307, ("Location", "/a")), Stream(Events(1), Ending.Reset), Status(307, ("Location", "/b")), Stream(Events(2)));
        await using var probe = new TransportProbe(Options(server));

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Requests.Select(request => request.Target).ShouldBe(["/", "/a", "/", "/b"]);
    }

    [Fact]
    public async Task A_loop_is_refused_at_once()
    {
        await using var server = ScriptedServer.Start(Status(302, ("Location", "/")));
        await using var probe = new TransportProbe(Options(server));

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.RedirectRefused);

        server.Requests.Count.ShouldBe(11);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("ftp://127.0.0.1/")]
    [InlineData("http://")]
    public async Task A_redirect_that_leads_nowhere_is_refused(string? location)
    {
        await using var server = ScriptedServer.Start(location is null ? Status(302) : Status(302, ("Location", location)));
        await using var probe = new TransportProbe(Options(server));

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.RedirectRefused);

        server.Requests.Count.ShouldBe(1);
    }

    private static SseTransportOptions Options(ScriptedServer server) =>
        new() { Endpoint = server.Address, Reconnect = TransportProbe.AtOnce };
}
