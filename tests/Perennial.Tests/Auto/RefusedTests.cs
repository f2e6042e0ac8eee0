using Perennial.Auto;
using Perennial.Tests.Support;
using Perennial.Testing;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>
/// Protocols that are refused, broken off or answered by something else: the next is tried in the same attempt, and it is said why.
/// </summary>
public class RefusedTests
{
    [Theory]
    [InlineData(400)]
    [InlineData(403)]
    [InlineData(404)]
    [InlineData(405)]
    [InlineData(426)]
    [InlineData(501)]
    [InlineData(503)]
    public async Task A_server_that_refuses_WebSockets_is_read_by_SSE(int status)
    {
        await using var server = new FormServer { WebSocket = Status(status), Stream = Stream(Events(1, 2)) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Forms().ShouldBe(["websocket", "stream"]);
        auto.Transport.Protocol.ShouldBe(AutoProtocol.Sse);
        auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, FallbackReason.Refused)]);
        auto.Transport.FailedProtocols[0].Error.HttpStatus.ShouldBe((System.Net.HttpStatusCode)status);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused"]);
        auto.Probe.All<ErrorEvent>().ShouldBeEmpty();
        auto.Probe.All<ConnectingEvent>().Count.ShouldBe(1);
    }

    public static TheoryData<string, FallbackReason> BadHandshakes { get; } = new()
    {
        { "bad accept", FallbackReason.NotSpoken },
        { "no upgrade", FallbackReason.NotSpoken },
        { "reset", FallbackReason.Lost },
        { "closed", FallbackReason.Lost },
    };

    [Theory]
    [MemberData(nameof(BadHandshakes))]
    public async Task A_handshake_that_goes_wrong_is_followed_by_SSE(string what, FallbackReason reason)
    {
        await using var server = new FormServer
        {
            WebSocket = what switch
            {
                "bad accept" => static exchange => exchange.WriteHeadAsync(
                    101, ("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Accept", "AAAAAAAAAAAAAAAAAAAAAAAAAAA=")),
                "no upgrade" => Answer("<p>hello", "text/html"),
                "reset" => ResetUnanswered,
                _ => static exchange =>
                {
                    exchange.Close();
                    return Task.CompletedTask;
                },
            },
            Stream = Stream(Events(1)),
        }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1"]);

        auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, reason)]);
        auto.LoggedReasons.ShouldBe([$"WebSocket {reason}"]);
    }

    [Fact]
    public async Task A_protocol_that_got_through_is_kept_though_the_line_is_cut_while_it_connects_again()
    {
        var requests = 0;
        await using var server = new FormServer
        {
            WebSocket = Status(404),
            Stream = exchange => Interlocked.Increment(ref requests) switch
            {
                1 => Stream(Events(1), Ending.Closed)(exchange),
                < 5 => ResetUnanswered(exchange),
                _ => Stream(Events(2))(exchange),
            },
        }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        server.Forms().ShouldBe(["websocket", "stream", "stream", "stream", "stream", "stream"]);
        auto.Transport.Protocol.ShouldBe(AutoProtocol.Sse);
    }

    [Fact]
    public async Task A_proxy_that_accepts_the_handshake_and_closes_is_believed_the_second_time()
    {
        await using var server = new FormServer { WebSocket = ServerSocket.SendsAndEnds(), Stream = Stream(Events(1)) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1"]);

        server.Forms().ShouldBe(["websocket", "websocket", "stream"]);
        auto.Transport.Protocol.ShouldBe(AutoProtocol.Sse);
        auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, FallbackReason.Lost)]);
        auto.LoggedReasons.ShouldBe(["WebSocket Lost"]);
    }

    [Fact]
    public async Task A_WebSocket_that_was_heard_between_two_losses_is_tried_again()
    {
        var sockets = new Queue<Func<ScriptedExchange, Task>>(
        [
            ServerSocket.SendsAndEnds(), ServerSocket.SendsAndEnds(Frame.OfText("a")), ServerSocket.SendsAndEnds(), ServerSocket.Sends(
                Frame.OfText("b"), Frame.Close(1000)),
        ]);
        await using var server = new FormServer { WebSocket = exchange => sockets.Dequeue()(exchange) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["a", "b"]);

        server.Forms().ShouldBe(["websocket", "websocket", "websocket", "websocket"]);
        auto.LoggedReasons.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_server_of_JSON_lines_is_read_by_the_request_that_asks_for_SSE_as_well()
    {
        await using var server = new FormServer { Stream = Lines("{\"n\":1}\n") }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["""{"n":1}"""]);

        server.Forms().ShouldBe(["websocket", "stream"]);
        server.Requests[1].Header("Accept").ShouldBe("text/event-stream, application/x-ndjson;q=0.9");
        auto.Transport.Protocol.ShouldBe(AutoProtocol.HttpStream);
        auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, FallbackReason.Refused)]);
    }

    [Theory]
    [InlineData(406, "", FallbackReason.Refused)]
    [InlineData(504, "", FallbackReason.Refused)]
    [InlineData(200, "text/html", FallbackReason.NotSpoken)]
    [InlineData(200, "application/json", FallbackReason.NotSpoken)]
    public async Task Where_no_stream_is_to_be_had_the_server_is_polled(int status, string contentType, FallbackReason reason)
    {
        var polls = new Queue<Func<ScriptedExchange, Task>>([Answer("[{\"n\":1}]"), Status(204), Answer("{\"type\":\"done\"}")]);
        await using var server = new FormServer
        {
            Stream = exchange => exchange.RespondAsync(status, "{}", ("Content-Type", contentType)),
            Poll = exchange => polls.Dequeue()(exchange),
        }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["""{"n":1}"""]);

        server.Forms().ShouldBe(["websocket", "stream", "poll", "poll", "poll"]);
        auto.Transport.Protocol.ShouldBe(AutoProtocol.LongPoll);
        auto.LoggedReasons.ShouldBe(["WebSocket Refused", $"Sse {reason}", $"HttpStream {reason}"]);
    }

    [Fact]
    public async Task An_error_that_ends_the_search_names_each_protocol_and_what_became_of_it()
    {
        await using var server =
            new FormServer { WebSocket = Status(403), Stream = Answer("<p>", "text/html"), Poll = Status(500) }.Start();
        await using var auto = new AutoProbe(server, static options => options with { Reconnect = new() { Enabled = false } });

        var error = await Should.ThrowAsync<TransportException>(auto.Transport.ConnectAsync(auto.Probe.Token));

        error.Message.ShouldBe(
            "No protocol got through. WebSocket: The server answered 403 (Forbidden). "
            + "Sse and HttpStream: The server answered with text/html; JSON lines (application/x-ndjson) are required. "
            + "LongPoll: The server answered 500 (InternalServerError).");
        (error.Code, error.HttpStatus, error.IsTransient).ShouldBe(
            (TransportErrorCode.HttpStatus, System.Net.HttpStatusCode.InternalServerError, true));
        server.Forms().ShouldBe(["websocket", "stream", "poll"]);
    }

    [Fact]
    public async Task A_search_is_one_attempt_however_many_protocols_fail()
    {
        await using var server = new FormServer { WebSocket = ResetUnanswered, Stream = ResetUnanswered, Poll = ResetUnanswered }.Start();
        await using var auto =
            new AutoProbe(server, static options => options with { Reconnect = options.Reconnect with { MaxAttempts = 1 } });

        (await auto.Probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);

        auto.Probe.All<ConnectingEvent>().Count.ShouldBe(2);
        server.Forms().ShouldBe(["websocket", "stream", "poll", "websocket", "stream", "poll"]);
    }

    [Theory]
    [InlineData(404, 2)]
    [InlineData(403, 2)]
    [InlineData(401, 1)]
    [InlineData(429, 1)]
    [InlineData(410, 1)]
    public async Task What_the_server_says_of_the_resource_is_the_answer(int status, int requests)
    {
        await using var server =
            new FormServer { WebSocket = Status(status), Stream = Status(status), Lines = Stream(Events(1)), Poll = Answer("{}") }.Start();
        await using var auto = new AutoProbe(server, static options => options with { Reconnect = new() { Enabled = false } });

        var error = await Should.ThrowAsync<TransportException>(auto.Transport.ConnectAsync(auto.Probe.Token));

        error.HttpStatus.ShouldBe((System.Net.HttpStatusCode)status);
        server.Requests.Count.ShouldBe(requests);
    }

    [Fact]
    public async Task A_server_that_asks_to_be_left_alone_is_asked_no_more()
    {
        await using var server = new FormServer { WebSocket = Status(503, ("Retry-After", "0")), Stream = Stream(Events(1)) }.Start();
        await using var auto = new AutoProbe(server, static options => options with { Reconnect = new() { Enabled = false } });

        await Should.ThrowAsync<TransportException>(auto.Transport.ConnectAsync(auto.Probe.Token));

        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_host_that_cannot_be_reached_is_not_tried_by_every_protocol()
    {
        var gone = ScriptedServer.Start(Status(200));
        await gone.DisposeAsync();
        await using var auto = new AutoProbe(gone.Address, static options => options with { Reconnect = new() { Enabled = false } });

        var error = await Should.ThrowAsync<TransportException>(auto.Transport.ConnectAsync(auto.Probe.Token));

        error.Code.ShouldBe(TransportErrorCode.ConnectFailed);
        auto.Transport.FailedProtocols.ShouldBeEmpty();
    }

    [Fact]
    public async Task The_order_is_the_callers()
    {
        await using var server =
            new FormServer { Poll = Answer("{\"type\":\"done\"}"), Lines = Status(406), WebSocket = Status(426) }.Start();
        await using var auto = new AutoProbe(
            server, static options => options with { Order = [AutoProtocol.HttpStream, AutoProtocol.WebSocket, AutoProtocol.LongPoll] });

        await auto.Probe.ReadTextsAsync();

        server.Forms().ShouldBe(["lines", "websocket", "poll"]);
    }

    [Fact]
    public async Task Every_request_is_the_callers_to_complete()
    {
        await using var server = new FormServer { Stream = Status(406), Poll = Answer("{\"type\":\"done\"}") }.Start();
        await using var auto = new AutoProbe(server, static options => options with
        {
            Headers = new Dictionary<string, string>(StringComparer.Ordinal) { ["X-Tenant"] = "acme" },
            ConfigureRequest = static (request, _) =>
            {
                request.Headers.Add("X-Token", "t");
                return ValueTask.CompletedTask;
            },
        });

        await auto.Probe.ReadTextsAsync();

        server.Requests.Select(
            static request => request.Header("X-Tenant") + request.Header("X-Token")).ShouldBe(["acmet", "acmet", "acmet"]);
    }
}
