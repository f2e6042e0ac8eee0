using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.WebSockets.PerennialV1.PerennialSocket;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>What a server that speaks perennial.v1 says: events with ids, endings that are not mistaken, and words on the side.</summary>
public class EventTests
{
    [Fact]
    public async Task Envelopes_bring_ids_types_and_bytes()
    {
        await using var server = ScriptedServer.Start(SaysAndWaits(
            """{"id":"e-1","type":"token","data":"hé","later":[1]}""",
            """{"id":"e-2","data":{"a": 1}}""",
            """{"id":"e-3","type":"audio","binary":"AAH/"}""",
            Completed));
        await using var probe = server.SocketProbe();

        var messages = await probe.ReadToEndAsync();

        messages.Select(static message => (message.Id, message.EventType, message.IsBinary)).ShouldBe(
            [("e-1", "token", false), ("e-2", "message", false), ("e-3", "audio", true)]);
        messages.Take(2).Select(static message => message.Text).ShouldBe(["hé", """{"a": 1}"""]);
        messages[2].Data.ToArray().ShouldBe([0, 1, 255]);
        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Completed });
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_cut_is_resumed_after_the_last_event_and_is_no_gap()
    {
        await using var server = ScriptedServer.Start(Says(Event(1), Event(2)), SaysAndWaits(Event(3), Completed));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2", "3"]);

        server.Requests.Select(static request => request.Header("Last-Event-ID")).ShouldBe([null, "e-2"]);
        probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("perennial.completed", StreamEndReason.Completed)]
    [InlineData("perennial.stopped", StreamEndReason.Stopped)]
    [InlineData("perennial.failed", StreamEndReason.Failed)]
    public async Task The_end_is_told_by_its_event(string type, StreamEndReason reason)
    {
        await using var server = ScriptedServer.Start(SaysAndWaits(
            Event(1), $$$$"""{"id":"e-2","type":"{{{{type}}}}","data":{"error":{"message":"No.","code":"overloaded"}}}"""));
        await using var probe = server.SocketProbe();
        (await probe.ReadTextsAsync(1)).ShouldBe(["1"]);

        var end = await probe.Transport.Completion.Soon();

        end.Reason.ShouldBe(reason);
        end.Error?.ServerCode.ShouldBe("overloaded");
        server.Connections.ShouldBe(1);
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(null)]
    [InlineData(1001)]
    [InlineData(1011)]
    [InlineData(4408)]
    [InlineData(4429)]
    [InlineData(4503)]
    public async Task Any_close_before_the_end_event_is_a_cut(int? code)
    {
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.Frames.SendAsync(Frame.OfText(Event(1)), Frame.Close(code));
                await socket.WaitForGoodbyeAsync();
            }),
            SaysAndWaits(Event(2), Completed));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        (await probe.WaitForAsync<ErrorEvent>()).IsRecoverable.ShouldBeTrue();
    }

    [Theory]
    [InlineData(1002)]
    [InlineData(1003)]
    [InlineData(1007)]
    [InlineData(1010)]
    [InlineData(3000)]
    [InlineData(4400)]
    [InlineData(4404)]
    [InlineData(4499)]
    public async Task Some_codes_say_that_the_same_attempt_would_fail_again(int code)
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.Frames.SendAsync(Frame.Close(code));
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();

        (await probe.ReadToFailureAsync()).Error.CloseCode.ShouldBe(code);
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_gap_is_announced_and_moves_nothing()
    {
        await using var server = ScriptedServer.Start(
            Says("""{"type":"perennial.gap","data":{"requested":"x-5","resumesAt":"e-7"}}"""), SaysAndWaits(Event(8), Completed));
        await using var probe = server.SocketProbe(static options => options with { LastEventId = "x-5" });

        var message = (await probe.ReadToEndAsync()).ShouldHaveSingleItem();

        message.FollowsGap.ShouldBeTrue();
        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.AnnouncedByServer, RequestedId = "x-5", ResumesAt = "e-7" }]);
        server.Requests[1].Header("Last-Event-ID").ShouldBe("x-5");
    }

    [Fact]
    public async Task The_server_says_when_to_come_back_even_if_it_says_nothing_else()
    {
        var clock = new ManualTimeProvider();
        var leave = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.SayAsync(Event(1));
                await leave.Task;
                await socket.SayAsync("""{"type":"perennial.retry","data":{"delay":1500}}""");
            }),
            SaysAndWaits(Completed));
        await using var probe = server.SocketProbe(static options => options with { Reconnect = TransportProbe.WithoutJitter }, clock);
        await probe.ReadTextsAsync(1);
        leave.SetResult();

        (await probe.WaitForAsync<ReconnectingEvent>()).Delay.ShouldBe(TimeSpan.FromSeconds(1.5));
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1.5), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(1.5));

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task What_is_no_envelope_is_reported_and_the_rest_flows()
    {
        await using var server = ScriptedServer.Start(SaysAndWaits(
            Event(1), "oops", """{"a":1}""", """{"type":"perennial.ack","data":{"received":"many"}}""", """{"type":"perennial.news"}""", """{"type":"perennial.heartbeat"}""",
            Event(2), Completed));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);

        probe.All<ErrorEvent>()
            .Select(static error => (error.Code, error.IsRecoverable))
            .ShouldBe(Enumerable.Repeat((TransportErrorCode.InvalidMessage, true), 3));
    }

    [Fact]
    public async Task Bytes_are_a_violation()
    {
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.Frames.SendAsync(Frame.OfText(Event(1)), Frame.OfBinary([1]));
            goodbye = await socket.Frames.ReceiveNextAsync(8);
        }));
        await using var probe = server.SocketProbe();

        var (texts, error) = await probe.ReadToFailureAsync();

        (texts, error.Code).ShouldBe((texts, TransportErrorCode.ProtocolViolation));
        texts.ShouldBe(["1"]);
        goodbye!.CloseCode.ShouldBe(1003);
    }

    [Theory]
    [InlineData("Perennial-Protocol", "1")]
    [InlineData("Sec-WebSocket-Protocol", "perennial.v1")]
    public async Task A_server_that_only_half_speaks_it_speaks_another_language(string name, string value)
    {
        await using var server = ScriptedServer.Start(ServerSocket.Script(
            async socket =>
            {
                await socket.SendAsync(Frame.OfText(Event(1)), Frame.Close(1000));
                await socket.ReceiveNextAsync(8);
            },
            (name, value)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe([Event(1)]);

        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Completed);
    }

    [Fact]
    public async Task It_is_not_offered_where_the_caller_does_not_want_it()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.Close(1000)));
        await using var probe = server.SocketProbe(static options => options with { UsePerennialProtocol = false });

        await probe.ReadTextsAsync();

        server.Requests.Single().Headers.Contains("Sec-WebSocket-Protocol").ShouldBeFalse();
    }

    [Fact]
    public async Task Three_heartbeats_of_silence_are_a_lost_connection()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.SayAsync("""{"type":"perennial.hello","data":{"heartbeat":2}}""", Event(1));
                await socket.Frames.WaitForClientCloseAsync();
            }),
            SaysAndWaits(Completed));
        await using var probe =
            server.SocketProbe(static options => options with { Heartbeat = new() { Interval = Timeout.InfiniteTimeSpan } }, clock);
        await probe.ReadTextsAsync(1);

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(6), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(6));

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
    }

    [Fact]
    public async Task A_limit_of_the_callers_own_stands()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(SaysAndWaits(Event(1)));
        await using var probe = server.SocketProbe(
            static options =>
                options with { IdleTimeout = TimeSpan.FromMinutes(10), Heartbeat = new() { Interval = Timeout.InfiniteTimeSpan } },
            clock);
        await probe.ReadTextsAsync(1);

        clock.Advance(TimeSpan.FromMinutes(9));

        probe.All<ErrorEvent>().ShouldBeEmpty();
        probe.Transport.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task The_callers_classification_comes_behind_the_protocols_own()
    {
        await using var server = ScriptedServer.Start(SaysAndWaits(Event(1), """{"type":"error","data":{"message":"?"}}""", Event(2), Completed));
        await using var probe = server.SocketProbe(static options => options with
        {
            Classify = static (in StreamMessage message) => message.EventType is "error" ? StreamSignal.Ignored : StreamSignal.None,
        });

        (await probe.ReadTextsAsync()).ShouldBe(["1", "2"]);
    }
}
