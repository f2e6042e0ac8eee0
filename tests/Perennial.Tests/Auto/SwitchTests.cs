using Perennial.Auto;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Auto;

/// <summary>One resume point for all protocols: a change in mid-stream loses nothing and repeats nothing.</summary>
public class SwitchTests
{
    private const string LastLine = """{"type":"perennial.completed","data":"[DONE]"}""" + "\n";

    [Fact]
    public async Task The_next_protocol_goes_on_where_the_last_one_broke_off()
    {
        var streams = new Queue<Func<ScriptedExchange, Task>>([Stream(Events(1, 2), Ending.Reset, SpeaksPerennial), Status(406)]);
        await using var server = new FormServer
        {
            Stream = exchange => streams.Dequeue()(exchange),
            Poll = Answer(Envelopes(3, 4) + LastLine, "application/x-ndjson", SpeaksPerennial),
        }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["1", "2", "3", "4"]);

        server.Forms().ShouldBe(["websocket", "stream", "stream", "websocket", "poll"]);
        server.Requests.Select(static request => request.Header("Last-Event-ID")).ShouldBe([null, null, "2", "2", "2"]);
        auto.Probe.All<ReconnectingEvent>().Count.ShouldBe(1);
        auto.Probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_numbered_stream_survives_cuts_and_changes_of_protocol_at_random(int seed)
    {
        const int Count = 20_000;
        await using var feed = await SwitchingFeed.StartAsync(Count, seed);
        await using var auto =
            new AutoProbe(feed.Address, static options => options with { Reconnect = options.Reconnect with { MaxAttempts = 1000 } });

        var texts = await auto.Probe.ReadTextsAsync();

        texts.ShouldBe(EventStreams.Numbers(1, Count));
        auto.Log.Lines.Select(static line => line.Text).Where(static text => text.Contains("connected by", StringComparison.Ordinal))
            .Select(static text => text[(text.LastIndexOf(' ') + 1)..])
            .Distinct(StringComparer.Ordinal)
            .ShouldBe(["Sse", "HttpStream", "LongPoll"], ignoreOrder: true);
        auto.Probe.All<GapEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_WebSocket_that_would_start_the_stream_again_is_not_used_to_resume_it()
    {
        var memory = new ProtocolMemory();
        await using var server =
            new FormServer { WebSocket = ServerSocket.Sends(Frame.OfText("1"), Frame.Close(1000)), Stream = Stream(Events(8)) }.Start();
        await using (var auto = new AutoProbe(server, static options => options with { LastEventId = "7" }, memory: memory))
        {
            (await auto.Probe.ReadTextsAsync()).ShouldBe(["8"]);

            auto.Reasons.ShouldBe([(AutoProtocol.WebSocket, FallbackReason.CannotResume)]);
            auto.LoggedReasons.ShouldBe(["WebSocket CannotResume"]);
            server.Requests[1].Header("Last-Event-ID").ShouldBe("7");
        }

        await using var anew = new AutoProbe(server, memory: memory);
        (await anew.Probe.ReadTextsAsync()).ShouldBe(["1"]);
        anew.Transport.Protocol.ShouldBe(AutoProtocol.WebSocket);
    }

    [Fact]
    public async Task Where_nothing_else_is_allowed_the_stream_is_interrupted()
    {
        await using var server = new FormServer { WebSocket = ServerSocket.Sends(Frame.OfText("1")) }.Start();
        await using var auto =
            new AutoProbe(server, static options => options with { LastEventId = "7", Order = [AutoProtocol.WebSocket] });

        var (texts, error) = await auto.Probe.ReadToFailureAsync();

        texts.ShouldBeEmpty();
        error.Code.ShouldBe(TransportErrorCode.Interrupted);
        server.Requests.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_WebSocket_without_ids_is_followed_by_another_and_the_reader_is_told()
    {
        var sockets = new Queue<Func<ScriptedExchange, Task>>(
            [ServerSocket.SendsAndEnds(Frame.OfText("a")), ServerSocket.Sends(Frame.OfText("b"), Frame.Close(1000))]);
        await using var server = new FormServer { WebSocket = exchange => sockets.Dequeue()(exchange) }.Start();
        await using var auto = new AutoProbe(server);

        (await auto.Probe.ReadTextsAsync()).ShouldBe(["a", "b"]);

        auto.Probe.All<GapEvent>().ShouldHaveSingleItem().Reason.ShouldBe(GapReason.NotNumbered);
    }
}
