using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Tests.WebSockets;

namespace Perennial.AspNetCore.Tests.Http;

/// <summary>Who may do what with which run.</summary>
public class AccessTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_host_that_decides_nothing_does_not_start()
    {
        var refusal = await Should.ThrowAsync<InvalidOperationException>(async () => await RunServer.StartAsync(decide: _ => { }));

        refusal.Message.ShouldContain("MapPerennial(\"/streams\") has no access rule. On its result call RequireAuthorization()");
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("anonymous", HttpStatusCode.OK)]
    [InlineData("rule", HttpStatusCode.OK)]
    [InlineData("authorization", HttpStatusCode.Unauthorized)]
    [InlineData("policy", HttpStatusCode.Unauthorized)]
    [InlineData("fallback", HttpStatusCode.Unauthorized)]
    public async Task A_decision_is_what_the_platform_calls_one_or_a_rule(string decision, HttpStatusCode forStrangers)
    {
        await using var server = await StartAsync(
            runs => _ = decision switch
            {
                "anonymous" => runs.AllowAnonymous(),
                "rule" => runs.AuthorizeRuns(_ => ValueTask.FromResult(true)),
                "authorization" => runs.RequireAuthorization(),
                "policy" => runs.RequireAuthorization(policy => policy.RequireAuthenticatedUser()),
                _ => runs,
            },
            fallback: decision is "fallback");
        var run = await server.FinishedRunAsync("one");

        using var stranger = await server.OpenAsync(run);
        using var known = await SendAsync(server, HttpMethod.Get, run.Id, user: "ann");

        stranger.StatusCode.ShouldBe(forStrangers);
        if (forStrangers != HttpStatusCode.OK)
        {
            await ShouldBeProblemAsync(stranger);
        }

        known.StatusCode.ShouldBe(HttpStatusCode.OK);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task The_rule_sees_who_wants_what_of_which_run()
    {
        var asked = new ConcurrentQueue<string>();
        await using var server = await StartAsync(runs => runs.AuthorizeRuns(access =>
        {
            asked.Enqueue($"{access.User.Identity?.Name} {access.Action} {access.RunId}");
            return ValueTask.FromResult(true);
        }));
        var run = await server.FinishedRunAsync("one");

        using var read = await SendAsync(server, HttpMethod.Get, run.Id, "ann");
        using var resume = await SendAsync(server, HttpMethod.Get, $"{run.Id}?lastEventId={run.Epoch}-1", "ann");
        using var describe = await SendAsync(server, HttpMethod.Head, run.Id, "bob");
        using var send = await SendAsync(server, HttpMethod.Post, run.Id, "bob");
        using var stop = await SendAsync(server, HttpMethod.Delete, run.Id, user: null);
        using var unknown = await SendAsync(server, HttpMethod.Delete, "no-such-run", "ann");

        asked.ShouldBe(
            [$"ann Read {run.Id}", $"ann Resume {run.Id}", $"bob Read {run.Id}", $"bob Send {run.Id}", $" Stop {run.Id}", "ann Stop no-such-run"]);
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Theory(Timeout = RunServer.Hang)]
    [InlineData("GET", "eve", HttpStatusCode.Forbidden)]
    [InlineData("HEAD", "eve", HttpStatusCode.Forbidden)]
    [InlineData("POST", "eve", HttpStatusCode.Forbidden)]
    [InlineData("DELETE", "eve", HttpStatusCode.Forbidden)]
    [InlineData("GET", null, HttpStatusCode.Unauthorized)]
    [InlineData("DELETE", null, HttpStatusCode.Unauthorized)]
    public async Task Who_is_refused_cannot_tell_a_run_from_none(string method, string? user, HttpStatusCode expected)
    {
        await using var server =
            await StartAsync(runs => runs.AuthorizeRuns(access => ValueTask.FromResult(access.User.Identity?.Name is "ann")));
        var run = await server.Runs.StartAsync((_, stop) => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop));

        using var forbidden = await SendAsync(server, new HttpMethod(method), run.Id, user);
        using var unknown = await SendAsync(server, new HttpMethod(method), "no-such-run", user);

        forbidden.StatusCode.ShouldBe(expected);
        HeadersOf(unknown).ShouldBe(HeadersOf(forbidden));
        (await BodyOf(unknown)).ShouldBe(await BodyOf(forbidden));
        if (method is not "HEAD")
        {
            await ShouldBeProblemAsync(forbidden);
        }

        if (user is null)
        {
            forbidden.Headers.WwwAuthenticate.ToString().ShouldBe("Test");
        }

        (await run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
        await run.StopAsync(TestEnds);

        static string HeadersOf(HttpResponseMessage response) =>
            string.Join(
                '\n',
                response.Headers.Concat(response.Content.Headers)
                    .Where(header => header.Key is not "Date")
                    .Select(header => $"{header.Key}: {string.Join(',', header.Value)}"));
        static async Task<string> BodyOf(HttpResponseMessage response)
        {
            var body = await response.Content.ReadAsStringAsync(TestEnds);
            return body.Length == 0 ? "" : JsonDocument.Parse(body).RootElement.GetProperty("detail").GetString()!;
        }
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_socket_that_may_only_read_can_neither_send_nor_stop()
    {
        await using var server =
            await StartAsync(runs => runs.AuthorizeRuns(access => ValueTask.FromResult(access.Action == RunAction.Read)));
        await using var open = await OpenRun.StartAsync(server);
        await using var client = await SocketClient.GreetedAsync(server, open.Run);
        await client.NameAsync("k3JAAAAAAAAAAAAAAAAAAA", next: 1, received: 0);

        await client.SendNumberedAsync(1, "\"hello\"");
        (await client.ReceiveAsync()).ShouldBe(
            """{"type":"perennial.refused","data":{"number":1,"code":"forbidden","message":"This client may not send messages to this run."}}""");
        await client.SendAsync("""{"type":"perennial.stop"}""");
        (await client.ReceiveAsync()).ShouldBe(
            """{"type":"perennial.refused","data":{"request":"stop","code":"forbidden","message":"This client may not stop the run."}}""");

        (await open.Run.GetStatusAsync(TestEnds)).ShouldBe(RunStatus.Running);
        await using var plain = await SocketClient.OpenAsync(server, open.Run, protocols: []);
        await plain.SendAsync("hello");
        (await plain.ReadToCloseAsync()).ShouldBe(4403);
        open.Messages.ShouldBeEmpty();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task A_socket_is_refused_at_its_handshake()
    {
        await using var server = await StartAsync(runs => runs.AuthorizeRuns(_ => ValueTask.FromResult(false)));
        var run = await server.FinishedRunAsync("one");

        await Should.ThrowAsync<System.Net.WebSockets.WebSocketException>(async () => await SocketClient.OpenAsync(server, run));
    }

    private static Task<RunServer> StartAsync(Action<IEndpointConventionBuilder> decide, bool fallback = false) => RunServer.StartAsync(
        decide: decide,
        services: services =>
        {
            services.AddAuthentication(UserHeaderHandler.Scheme)
                .AddScheme<Microsoft.AspNetCore.Authentication.AuthenticationSchemeOptions, UserHeaderHandler>(
                UserHeaderHandler.Scheme,
                null);
            services.AddAuthorization(
                options => options.FallbackPolicy = fallback ? new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build() : null);
        });

    private static async Task<HttpResponseMessage> SendAsync(RunServer server, HttpMethod method, string id, string? user)
    {
        using var request = new HttpRequestMessage(method, $"/streams/{id}");
        if (user is not null)
        {
            request.Headers.Add(UserHeaderHandler.Header, user);
        }

        return await server.Client.SendAsync(request, TestEnds);
    }

    private static async Task ShouldBeProblemAsync(HttpResponseMessage response)
    {
        response.Content.Headers.ContentType!.MediaType.ShouldBe("application/problem+json");
        response.Headers.CacheControl!.NoStore.ShouldBeTrue();
        (await response.Content.ReadFromJsonAsync<JsonElement>(TestEnds))
            .GetProperty("status")
            .GetInt32()
            .ShouldBe((int)response.StatusCode);
    }
}
