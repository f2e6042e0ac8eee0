using System.Collections.Concurrent;
using Perennial.Auto;
using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.Testing;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Requests;

/// <summary>
/// A posted message that may have arrived is posted again only to a server that is known to recognize its key, or where the caller allows
/// it.
/// </summary>
public class RepeatedSendTests
{
    public static TheoryData<string> Kinds => ["sse", "lines", "long-poll", "auto"];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task To_a_server_that_is_not_known_it_goes_once_and_its_outcome_is_unknown(string kind)
    {
        await using var server = ScriptedServer.Start(Server(kind, isPerennial: false, ResetUnanswered));
        await using var probe = Probe(kind, server);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("pay", probe.Token));

        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.ConnectionLost, DeliveryStatus.Unknown));
        Posts(server).Count.ShouldBe(1);
        probe.Transport.State.ShouldBe(TransportState.Connected);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task To_a_server_that_speaks_Perennial_it_goes_again_with_its_key(string kind)
    {
        await using var server = ScriptedServer.Start(Server(kind, isPerennial: true, ResetUnanswered, ResetUnanswered));
        await using var probe = Probe(kind, server);
        await probe.Transport.ConnectAsync(probe.Token);

        (await probe.Transport.SendAsync("pay", probe.Token)).ShouldBe(SendOutcome.Acknowledged);

        Posts(server).Count.ShouldBe(3);
        Posts(server)
            .Select(post => post.Header("Idempotency-Key"))
            .Distinct(StringComparer.Ordinal)
            .ShouldHaveSingleItem()
            .ShouldNotBeNull();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task Where_the_caller_allows_it_any_server_gets_it_again(string kind)
    {
        await using var server = ScriptedServer.Start(Server(kind, isPerennial: false, ResetUnanswered));
        await using var probe = Probe(kind, server, allowReplay: true, sendTo: "/in");

        (await probe.Transport.SendAsync("pay", probe.Token)).ShouldBe(SendOutcome.Acknowledged);

        Posts(server).Select(post => post.Target).ShouldBe(["/in", "/in"]);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task What_the_server_of_the_stream_speaks_says_nothing_of_another_endpoint(string kind)
    {
        await using var server = ScriptedServer.Start(Server(kind, isPerennial: true, ResetUnanswered));
        await using var probe = Probe(kind, server, sendTo: "/in");
        await probe.Transport.ConnectAsync(probe.Token);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("pay", probe.Token));

        error.Delivery.ShouldBe(DeliveryStatus.Unknown);
        Posts(server).ShouldHaveSingleItem().Target.ShouldBe("/in");
    }

    [Fact]
    public async Task A_server_stays_known_over_connections()
    {
        var polls = 0;
        var answers = new ConcurrentQueue<Func<ScriptedExchange, Task>>([ResetUnanswered]);
        await using var server = ScriptedServer.Start(exchange =>
            exchange.Request.Method is "POST" ? (answers.TryDequeue(out var next) ? next(exchange) : Status(202)(exchange))
            : Interlocked.Increment(ref polls) switch
            {
                1 => Answer("[]", headers: SpeaksPerennial)(exchange),
                2 => ResetUnanswered(exchange),
                _ => NeverAnswer(exchange),         // so the new connection itself has not heard from the server
            });
        await using var probe = new TransportProbe(new LongPollTransport(new LongPollTransportOptions
        {
            Endpoint = server.Address,
            Interval = TimeSpan.Zero,
            ConnectTimeout = TimeSpan.FromMilliseconds(20),
            Reconnect = TransportProbe.AtOnce,
        }));
        await probe.Transport.ConnectAsync(probe.Token);
        await probe.WaitForAsync<ConnectedEvent>(2);

        (await probe.Transport.SendAsync("pay", probe.Token)).ShouldBe(SendOutcome.Acknowledged);

        Posts(server).Count.ShouldBe(2);
    }

    [Theory]
    [InlineData(502, DeliveryStatus.Unknown, 1)]
    [InlineData(503, DeliveryStatus.Unknown, 1)]
    [InlineData(504, DeliveryStatus.Unknown, 1)]
    [InlineData(408, DeliveryStatus.NotSent, 6)]
    [InlineData(429, DeliveryStatus.NotSent, 6)]
    public async Task Of_an_unknown_server_only_an_answer_that_it_did_not_act_lets_it_go_again(
        int status, DeliveryStatus delivery, int posts)
    {
        await using var server = ScriptedServer.Start(
            exchange => exchange.Request.Method is "POST" ? Status(status)(exchange) : Stream(": hello\n\n", Ending.Silence)(exchange));
        await using var probe = TransportProbe.For(server.Address);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.SendAsync("pay", probe.Token));

        ((int?)error.HttpStatus, error.Delivery).ShouldBe((status, delivery));
        Posts(server).Count.ShouldBe(posts);
    }

    /// <summary>A stream that stays open, and these answers to POSTs; later ones are accepted.</summary>
    private static Func<ScriptedExchange, Task> Server(string kind, bool isPerennial, params Func<ScriptedExchange, Task>[] posts)
    {
        var answers = new ConcurrentQueue<Func<ScriptedExchange, Task>>(posts);
        (string, string)[] headers = isPerennial ? [SpeaksPerennial] : [];
        var polls = 0;
        return exchange => exchange.Request.Method is "POST"
            ? answers.TryDequeue(out var next) ? next(exchange) : Status(202)(exchange)
            : kind switch
            {
                "lines" => Lines("\n", Ending.Silence, headers)(exchange),
                "long-poll" => Interlocked.Increment(ref polls) == 1 ? Answer("[]", headers: headers)(exchange) : NeverAnswer(exchange),
                _ => Stream(": hello\n\n", Ending.Silence, headers)(exchange),
            };
    }

    private static TransportProbe Probe(string kind, ScriptedServer server, bool? allowReplay = null, string? sendTo = null)
    {
        var (sending, reconnect) = (sendTo is null ? null : new Uri(server.Address, sendTo), TransportProbe.AtOnce);
        return new TransportProbe(kind switch
        {
            "lines" => new HttpStreamTransport(
                new HttpStreamTransportOptions { Endpoint = server.Address, AllowReplay = allowReplay, SendEndpoint = sending, Reconnect = reconnect }),
            "long-poll" => new LongPollTransport(
                new LongPollTransportOptions { Endpoint = server.Address, AllowReplay = allowReplay, SendEndpoint = sending, Reconnect = reconnect, Interval = TimeSpan.Zero }),
            "auto" => new AutoTransport(
                new AutoTransportOptions { Endpoint = server.Address, AllowReplay = allowReplay, SendEndpoint = sending, Reconnect = reconnect }),
            _ => (Transport)new SseTransport(
                new SseTransportOptions { Endpoint = server.Address, AllowReplay = allowReplay, SendEndpoint = sending, Reconnect = reconnect }),
        });
    }

    private static List<RecordedRequest> Posts(ScriptedServer server) => [.. server.Requests.Where(request => request.Method is "POST")];
}
