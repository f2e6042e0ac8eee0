using Perennial.Testing;

namespace Perennial.Tests.WebSockets;

/// <summary>What messages of a WebSocket mean for the stream, and what it means that they bear no ids.</summary>
public class MarkerTests
{
    private const string Done = """{"type":"done"}""";

    [Theory]
    [InlineData(Done, false)]
    [InlineData("""{"type":"done","usage":7}""", true)]
    [InlineData("""{"model":"m","done":true,"eval_count":7}""", true)]
    public async Task An_end_marker_ends_the_stream_and_is_delivered_where_it_says_more(string marker, bool isDelivered)
    {
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"), Frame.OfText(marker), Frame.OfText("late"));
            goodbye = await socket.ReceiveNextAsync(8);
            await socket.SendAsync(Frame.Close(1000));
        }));
        await using var probe = server.SocketProbe(static options => options with { EndOfStream = EndOfStreamPolicy.RequireMarker });

        (await probe.ReadTextsAsync()).ShouldBe(isDelivered ? ["a", marker] : ["a"]);

        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Completed });
        goodbye!.CloseCode.ShouldBe(1000);
    }

    [Fact]
    public async Task Done_in_a_larger_object_is_data_of_the_application()
    {
        const string Data = """{"task":"wash up","done":true}""";
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText(Data), Frame.OfText("a"), Frame.OfText(Done)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe([Data, "a"]);
    }

    [Fact]
    public async Task Bytes_are_never_a_marker()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfBinary("""{"type":"done"}"""u8.ToArray()), Frame.OfText("a"), Frame.OfText(Done)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe([Done, "a"]);
    }

    [Fact]
    public async Task An_error_is_announced_and_delivered_and_the_stream_goes_on()
    {
        const string Trouble = """{"type":"error","code":"overloaded","message":"Try later."}""";
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText(Trouble), Frame.OfText("a"), Frame.OfText(Done)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe([Trouble, "a"]);

        (await probe.WaitForAsync<ErrorEvent>()).IsRecoverable.ShouldBeTrue();
    }

    [Fact]
    public async Task The_callers_own_classification_replaces_the_conventions()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText(Done), Frame.OfText("fin"), Frame.OfText("late")));
        await using var probe = server.SocketProbe(static options => options with
        {
            Classify = static (in StreamMessage message) =>
                message.Data.Span.SequenceEqual("fin"u8) ? StreamSignal.Completed : StreamSignal.None,
        });

        (await probe.ReadTextsAsync()).ShouldBe([Done]);
    }

    [Fact]
    public async Task A_reconnect_cannot_know_what_was_missed_and_says_so()
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.SendsAndEnds(Frame.OfText("a")), ServerSocket.Sends(Frame.OfText("b"), Frame.OfText("c"), Frame.Close(1000)));
        await using var probe = server.SocketProbe();

        (await probe.ReadToEndAsync())
            .Select(static message => (message.Text, message.FollowsGap))
            .ShouldBe([("a", false), ("b", true), ("c", false)]);

        probe.All<GapEvent>().ShouldBe([new GapEvent { Reason = GapReason.NotNumbered, RequestedId = null, ResumesAt = null }]);
        server.Requests.ShouldAllBe(static request => !request.Headers.Contains("Last-Event-ID"));
    }
}
