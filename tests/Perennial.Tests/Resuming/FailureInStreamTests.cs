using Perennial.HttpStreams;
using Perennial.Testing;
using Perennial.Tests.Support;
using Perennial.Tests.WebSockets;
using Perennial.WebSockets;
using static Perennial.Tests.Support.BodyScripts;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.Resuming;

/// <summary>A response that had begun with 200 and then says that it failed did fail, whatever comes after.</summary>
public class FailureInStreamTests
{
    [Theory]
    [InlineData("data: {\"error\":{\"message\":\"overloaded\",\"code\":\"x\"}}\n\ndata: [DONE]\n\n", "overloaded", "x")]
    [InlineData("data: {\"error\":{\"message\":\"m\",\"type\":\"server_error\",\"code\":null,\"param\":null}}\n\n", "m", "server_error")]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n", "Overloaded", "overloaded_error")]
    [InlineData("event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"m\",\"sequence_number\":3}\n\n", "m", "server_error")]
    [InlineData("event: error\ndata: \"late\"\n\n", "late", null)]
    [InlineData("event: error\ndata: {}\n\n", null, null)]
    public async Task Events_that_say_so_fail_the_stream(string events, string? message, string? code)
    {
        await using var server = ScriptedServer.Start(Stream("data: a\n\n" + events));
        await using var probe = TransportProbe.For(server.Address);

        await FailsAsync(probe, server, "a", message, code);
    }

    [Theory]
    [InlineData("{\"error\":\"model not found\"}", "model not found", null)]
    [InlineData("{\"error\":{\"code\":429,\"message\":\"Quota\",\"status\":\"RESOURCE_EXHAUSTED\"}}", "Quota", "RESOURCE_EXHAUSTED")]
    [InlineData("{\"error\":{\"code\":429,\"message\":\"Quota\"}}", "Quota", "429")]
    public async Task Lines_that_say_so_fail_the_stream(string line, string message, string? code)
    {
        await using var server = ScriptedServer.Start(Lines("{\"n\":1}\n" + line + "\n"));
        await using var probe = new TransportProbe(
            new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = server.Address, Reconnect = TransportProbe.AtOnce }));

        await FailsAsync(probe, server, "{\"n\":1}", message, code);
    }

    [Fact]
    public async Task Over_a_WebSocket_an_error_may_answer_one_message_of_many()
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Sends(Frame.OfText("{\"error\":\"no such room\"}"), Frame.OfText("{\"n\":1}"), Frame.Close(1000)));
        await using var probe = new TransportProbe(new WebSocketTransport(new WebSocketTransportOptions { Endpoint = server.Address }));

        (await probe.ReadTextsAsync()).ShouldBe(["{\"error\":\"no such room\"}", "{\"n\":1}"]);
    }

    [Fact]
    public async Task A_server_that_speaks_Perennials_protocol_marks_failures_itself()
    {
        await using var server = ScriptedServer.Start(Stream(
            "id: e-1\ndata: {\"error\":\"a user's\"}\n\nid: e-2\nevent: error\ndata: {}\n\nid: e-3\nevent: perennial.completed\ndata: x\n\n",
            Ending.InGoodOrder,
            SpeaksPerennial));
        await using var probe = TransportProbe.For(server.Address);

        (await probe.ReadTextsAsync()).ShouldBe(["{\"error\":\"a user's\"}", "{}"]);
    }

    private static async Task FailsAsync(TransportProbe probe, ScriptedServer server, string first, string? message, string? code)
    {
        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe([first]);
        (error.Code, error.ServerMessage, error.ServerCode).ShouldBe((TransportErrorCode.ServerFailed, message, code));
        (await probe.Transport.Completion).Reason.ShouldBe(StreamEndReason.Failed);
        probe.All<CompletedEvent>().ShouldBeEmpty();
        server.Requests.Count.ShouldBe(1);
    }
}
