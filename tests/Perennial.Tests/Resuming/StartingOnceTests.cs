using System.Collections.Concurrent;
using Perennial.Http;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>
/// An opening request with side effects has a key, so that it can be repeated where the server starts a stream once for a key.
/// </summary>
public class StartingOnceTests
{
    private static readonly (string Name, string Value) Once = ("Perennial-Starts", "once");
    private static readonly string[] AllTokens = [.. Enumerable.Range(1, 100).Select(static number => $"{number}")];

    private readonly ConcurrentDictionary<string, int> _productions = new(StringComparer.Ordinal);
    private readonly StartsOnceMemory _startsOnce = new(TimeProvider.System);

    [Fact]
    public async Task An_opening_post_has_a_key_that_stays_the_same_for_every_repeat()
    {
        await using var server = ScriptedServer.Start(ResetUnanswered, Status(503), Stream(Events(1), Ending.Reset), Stream(Events(2)));
        await using var probe = Probe(server, options => options with { AllowReplay = true });

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        var keys = server.Requests.Select(request => request.Header("Idempotency-Key")).Distinct().ToArray();
        keys.ShouldHaveSingleItem().ShouldNotBeNull().ShouldMatch("^\"[0-9a-f]{32}\"$");
    }

    [Fact]
    public async Task Two_transports_have_two_keys_and_a_get_has_none()
    {
        await using var server = ScriptedServer.Start(Stream(Events(1)), Stream(Events(1)), Stream(Events(1)));
        await using var first = Probe(server);
        await using var second = Probe(server);
        await using var reader = TransportProbe.For(server.Address);

        await first.ReadTextsAsync();
        await second.ReadTextsAsync();
        await reader.ReadTextsAsync();

        var keys = server.Requests.Select(request => request.Header("Idempotency-Key")).ToArray();
        keys[0].ShouldNotBeNull().ShouldNotBe(keys[1]!, StringComparer.Ordinal);
        keys[2].ShouldBeNull();
    }

    [Fact]
    public async Task A_lost_answer_to_a_post_costs_one_production_where_replay_is_allowed()
    {
        await using var server = ScriptedServer.Start(LoseTheFirst(3));
        await using var probe = Probe(server, options => options with { AllowReplay = true });

        (await probe.ReadTextsAsync()).ShouldBe(AllTokens);

        _productions.ShouldHaveSingleItem().Value.ShouldBe(4);
    }

    [Fact]
    public async Task A_lost_answer_to_a_post_is_asked_for_again_where_the_server_has_announced_that_it_starts_once()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request.Target.Contains("first", StringComparison.Ordinal)
            ? Stream(Events(1), Ending.InGoodOrder, Once)(exchange)
            : LoseTheFirst(3)(exchange));
        await using var earlier = Probe(server, options => options with { Endpoint = new Uri(server.Address, "/chat?first") });
        await earlier.ReadTextsAsync();
        await using var probe = Probe(server, options => options with { Endpoint = new Uri(server.Address, "/chat?second") });

        (await probe.ReadTextsAsync()).ShouldBe(AllTokens);

        _productions.ShouldHaveSingleItem().Value.ShouldBe(4);
    }

    [Fact]
    public async Task A_lost_answer_to_a_post_is_an_interruption_where_nothing_was_announced()
    {
        await using var server = ScriptedServer.Start(LoseTheFirst(3));
        await using var probe = Probe(server);

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task An_announcement_at_another_path_or_taken_back_by_a_later_success_does_not_count()
    {
        await using var server = ScriptedServer.Start(
            Stream(Events(1), Ending.InGoodOrder, Once), ResetUnanswered,
            Stream(Events(1), Ending.InGoodOrder, Once), Stream(Events(1)), ResetUnanswered);
        foreach (var (path, isInterrupted) in new[] { ("/a", false), ("/b", true), ("/c", false), ("/c", false), ("/c", true) })
        {
            await using var probe = Probe(server, options => options with { Endpoint = new Uri(server.Address, path) });
            if (isInterrupted)
            {
                (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.Interrupted);
            }
            else
            {
                await probe.ReadTextsAsync();
            }
        }

        server.Requests.Count.ShouldBe(5);
    }

    [Fact]
    public void An_announcement_is_forgotten_after_an_hour()
    {
        var clock = new ManualTimeProvider();
        var memory = new StartsOnceMemory(clock);
        var url = new Uri("https://example.com/chat?a=b");
        using var response = new HttpResponseMessage(System.Net.HttpStatusCode.ServiceUnavailable);
        response.Headers.Add(Once.Name, Once.Value);

        memory.Note(url, response);
        memory.Contains(new Uri("https://example.com/chat")).ShouldBeTrue();
        memory.Contains(new Uri("https://example.com/other")).ShouldBeFalse();
        clock.Advance(TimeSpan.FromHours(1));

        memory.Contains(url).ShouldBeFalse();
    }

    [Fact]
    public async Task A_5xx_that_announces_is_tried_again_and_so_is_no_answer_in_time()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Status(503, Once), NeverAnswer, Stream(Events(1)));
        await using var probe = Probe(server, time: clock);
        var reading = probe.ReadTextsAsync();
        await server.WaitForRequestsAsync(2, probe.Token);

        clock.Advance(TimeSpan.FromSeconds(30));

        (await reading).ShouldBe(["1"]);
        server.Requests.Select(request => request.Header("Idempotency-Key")).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task Replay_that_is_forbidden_stays_forbidden_where_the_server_starts_once()
    {
        await using var server = ScriptedServer.Start(Status(503, Once), Stream(Events(1)));
        await using var probe = Probe(server, options => options with { AllowReplay = false });

        (await probe.ReadToFailureAsync()).Error.HttpStatus.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_key_of_the_callers_own_is_sent_as_it_is_and_not_with_messages()
    {
        await using var server = ScriptedServer.Start(exchange => exchange.Request.Target is "/send"
            ? exchange.RespondAsync(200)
            : Stream(Events(1), Ending.Silence)(exchange));
        await using var probe = Probe(server, options => options with
        {
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["idempotency-key"] = "\"mine\"" },
            SendEndpoint = new Uri(server.Address, "/send"),
        });

        await probe.Transport.ConnectAsync(probe.Token);
        await probe.Transport.SendAsync("a", probe.Token);

        server.Requests.Select(
            request => (request.Target, request.Header("Idempotency-Key") is "\"mine\"")).ShouldBe([("/", true), ("/send", false)]);
        server.Requests[1].Headers["Idempotency-Key"].Count().ShouldBe(1);
    }

    [Fact]
    public async Task A_key_that_ConfigureRequest_makes_anew_is_the_first_one_for_every_repeat()
    {
        var next = 0;
        await using var server = ScriptedServer.Start(Status(503, Once), Stream(Events(1)));
        await using var probe = Probe(server, options => options with
        {
            ConfigureRequest = (request, _) =>
            {
                request.Headers.Remove("Idempotency-Key");
                request.Headers.Add("Idempotency-Key", $"\"{++next}\"");
                return ValueTask.CompletedTask;
            },
        });

        await probe.ReadTextsAsync();

        server.Requests.Select(request => request.Header("Idempotency-Key")).ShouldBe(["\"1\"", "\"1\""]);
    }

    [Fact]
    public async Task A_post_without_a_key_is_not_repeated_whatever_the_server_announces()
    {
        await using var server = ScriptedServer.Start(Status(503, Once), Stream(Events(1)));
        await using var probe = Probe(server, options => options with
        {
            ConfigureRequest = (request, _) =>
            {
                request.Headers.Remove("Idempotency-Key");
                return ValueTask.CompletedTask;
            },
        });

        (await probe.ReadToFailureAsync()).Error.HttpStatus.ShouldBe(System.Net.HttpStatusCode.ServiceUnavailable);

        server.Requests.ShouldHaveSingleItem().Header("Idempotency-Key").ShouldBeNull();
    }

    [Fact]
    public async Task The_same_holds_for_json_lines()
    {
        await using var server = ScriptedServer.Start(ResetUnanswered, BodyScripts.Lines("{\"a\":1}\n"));
        await using var probe = new TransportProbe(new HttpStreamTransport(new HttpStreamTransportOptions
        {
            Endpoint = server.Address,
            Body = RequestBody.Text("hello"),
            AllowReplay = true,
            Reconnect = TransportProbe.AtOnce,
        }));

        (await probe.ReadTextsAsync()).ShouldBe(["{\"a\":1}"]);

        server.Requests.Select(request => request.Header("Idempotency-Key")).Distinct().ShouldHaveSingleItem().ShouldNotBeNull();
    }

    /// <summary>Counts the requests for each key, and resets the first of them before a byte of the answer.</summary>
    private Func<ScriptedExchange, Task> LoseTheFirst(int count) => exchange =>
        _productions.AddOrUpdate(
            exchange.Request.Header("Idempotency-Key") ?? $"none {Guid.NewGuid()}", 1, static (_, before) => before + 1) <= count
            ? ResetUnanswered(exchange)
            : Stream(Events([.. Enumerable.Range(1, 100)]), Ending.InGoodOrder, Once)(exchange);

    private TransportProbe Probe(
        ScriptedServer server, Func<SseTransportOptions, SseTransportOptions>? change = null, TimeProvider? time = null)
    {
        var options = new SseTransportOptions
        {
            Endpoint = server.Address,
            Body = RequestBody.Text("hello"),
            Reconnect = TransportProbe.AtOnce,
            StartsOnce = _startsOnce,
        };
        return new TransportProbe(change?.Invoke(options) ?? options, time is null ? null : new TransportServices { Time = time });
    }
}
