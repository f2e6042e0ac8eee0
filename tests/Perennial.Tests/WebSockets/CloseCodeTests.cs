using Perennial.Testing;
using Perennial.Tests.Support;

namespace Perennial.Tests.WebSockets;

/// <summary>What the peer's goodbye, or its absence, means for the stream.</summary>
public class CloseCodeTests
{
    [Theory]
    [InlineData(1000)]
    [InlineData(null)]
    public async Task A_normal_close_is_the_end_of_the_stream(int? code)
    {
        Frame? answer = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"), Frame.Close(code));
            answer = await socket.ReceiveNextAsync(8);
        }));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Completed });
        answer.ShouldNotBeNull().CloseCode.ShouldBe(code ?? 1000);
        server.Connections.ShouldBe(1);
    }

    [Theory]
    [InlineData(EndOfStreamPolicy.RequireMarker)]
    [InlineData(EndOfStreamPolicy.Reconnect)]
    public async Task Where_more_is_expected_a_normal_close_is_a_lost_connection(EndOfStreamPolicy policy)
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)), ServerSocket.Sends(Frame.OfText("""{"type":"done"}""")));
        await using var probe = server.SocketProbe(options => options with { EndOfStream = policy });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);

        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.EndedWithoutMarker);
        server.Connections.ShouldBe(2);
    }

    [Theory]
    [InlineData(1001)]
    [InlineData(1011)]
    [InlineData(1012)]
    [InlineData(1013)]
    [InlineData(1014)]
    [InlineData(3001)]
    [InlineData(3008)]
    [InlineData(4000)]
    [InlineData(4429)]
    [InlineData(4999)]
    public async Task A_close_that_may_pass_is_followed_by_another_connection_and_no_message_before_it_is_lost(int code)
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Sends(Frame.OfText("a"), Frame.Close(code, "gone")), ServerSocket.Sends(Frame.OfText("b"), Frame.Close(1000)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["a", "b"]);

        var error = await probe.WaitForAsync<ErrorEvent>();
        (error.Code, error.IsRecoverable).ShouldBe((TransportErrorCode.ClosedByPeer, true));
        error.Exception.CloseCode.ShouldBe(code);
    }

    [Theory]
    [InlineData(1002)]
    [InlineData(1003)]
    [InlineData(1007)]
    [InlineData(1008)]
    [InlineData(1009)]
    [InlineData(1010)]
    [InlineData(3000)]
    [InlineData(3003)]
    [InlineData(4401)]
    [InlineData(4403)]
    public async Task A_close_that_will_not_pass_is_final(int code)
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.OfText("a"), Frame.Close(code)));
        await using var probe = server.SocketProbe();

        var (texts, error) = await probe.ReadToFailureAsync();

        texts.ShouldBe(["a"]);
        (error.Code, error.IsTransient, error.CloseCode).ShouldBe((TransportErrorCode.ClosedByPeer, false, code));
        server.Connections.ShouldBe(1);
    }

    [Theory]
    [InlineData(nameof(Ending.Closed))]
    [InlineData(nameof(Ending.Reset))]
    public async Task A_line_that_breaks_without_a_close_is_a_lost_connection_after_the_messages_before_it(string ending)
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(async socket =>
            {
                await socket.SendAsync(Frame.OfText("a"), Frame.OfText("b"), Frame.OfText("ha") with { IsLast = false });
                if (ending is nameof(Ending.Reset))
                {
                    await socket.ResetAsync();
                }
            }),
            ServerSocket.Sends(Frame.OfText("c"), Frame.Close(1000)));
        await using var probe = server.SocketProbe();

        (await probe.ReadTextsAsync()).ShouldBe(["a", "b", "c"]);

        var error = await probe.WaitForAsync<ErrorEvent>();
        (error.Code, error.IsRecoverable, error.Exception.CloseCode).ShouldBe((TransportErrorCode.ConnectionLost, true, 1006));
    }

    [Fact]
    public async Task The_caller_may_retry_what_is_final()
    {
        await using var server =
            ScriptedServer.Start(ServerSocket.Sends(Frame.Close(1008)), ServerSocket.Sends(Frame.OfText("a"), Frame.Close(1000)));
        await using var probe = server.SocketProbe(static options => options with
        {
            Reconnect = options.Reconnect with { ShouldRetry = static context => context.Error.CloseCode == 1008 },
        });

        (await probe.ReadTextsAsync()).ShouldBe(["a"]);
    }

    [Fact]
    public async Task The_caller_may_give_up_on_what_may_pass()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.Close(1001)));
        await using var probe = server.SocketProbe(static options => options with
        {
            Reconnect = options.Reconnect with { ShouldRetry = static context => context.Error.CloseCode != 1001 },
        });

        (await probe.ReadToFailureAsync()).Error.CloseCode.ShouldBe(1001);
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_server_that_accepts_and_closes_at_once_exhausts_the_attempts()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends(Frame.Close(1001)));
        await using var probe = server.SocketProbe();

        (await probe.ReadToFailureAsync()).Error.Code.ShouldBe(TransportErrorCode.AttemptsExhausted);
        server.Connections.ShouldBe(6);
    }
}
