using Perennial.Testing;
using Perennial.Tests.Fixtures;
using static Perennial.Tests.WebSockets.PerennialV1.PerennialSocket;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>Asking the server to stop over perennial.v1.</summary>
public class StopTests
{
    [Theory]
    [InlineData("stopped", StreamEndReason.Stopped)]
    [InlineData("completed", StreamEndReason.Completed)]
    public async Task The_end_is_the_answer(string how, StreamEndReason reason)
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.SayAsync(Event(1));
            (await socket.HearAsync())!.Json.ShouldBe("""{"type":"perennial.stop"}""");
            await socket.SayAsync(Event(2), $$"""{"id":"e-3","type":"perennial.{{how}}","data":"[DONE]"}""");
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();
        await probe.ReadTextsAsync(1);

        await probe.Transport.StopAsync(probe.Token);

        (await probe.ReadTextsAsync()).ShouldBe(["2"]);
        (await probe.Transport.Completion).Reason.ShouldBe(reason);
    }

    [Fact]
    public async Task A_server_that_refuses_is_reported_and_the_stream_goes_on()
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.HearAsync();
            await socket.SayAsync("""{"type":"perennial.refused","data":{"request":"stop","code":"forbidden","message":"Not you."}}""");
            await socket.HearAsync();
            await socket.SayAsync(Event(1), """{"type":"perennial.stopped","data":"[DONE]"}""");
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = server.SocketProbe();
        await probe.Transport.ConnectAsync(probe.Token);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.StopAsync(probe.Token));

        (error.Code, error.ServerCode, error.ServerMessage).ShouldBe((TransportErrorCode.SendRejected, "forbidden", "Not you."));
        await probe.Transport.StopAsync(probe.Token);
        (await probe.ReadTextsAsync()).ShouldBe(["1"]);
    }

    [Fact]
    public async Task A_connection_that_is_lost_before_the_answer_ends_the_wait()
    {
        await using var server = ScriptedServer.Start(Script(static socket => socket.HearAsync()), SaysAndWaits());
        await using var probe = server.SocketProbe();
        await probe.Transport.ConnectAsync(probe.Token);

        var error = await Should.ThrowAsync<TransportException>(probe.Transport.StopAsync(probe.Token));

        (error.Code, error.IsTransient).ShouldBe((TransportErrorCode.ConnectionLost, true));
    }

    [Fact]
    public async Task A_server_that_never_answers_is_not_waited_for_for_ever()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(SaysAndWaits());
        await using var probe = server.SocketProbe(time: clock);
        await probe.Transport.ConnectAsync(probe.Token);
        var stopping = probe.Transport.StopAsync(probe.Token);

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(30), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(30));

        (await Should.ThrowAsync<TransportException>(stopping.Soon())).Code.ShouldBe(TransportErrorCode.ConnectTimeout);
    }

    [Fact]
    public async Task Without_the_subprotocol_there_is_no_such_request()
    {
        await using var server = ScriptedServer.Start(ServerSocket.Sends());
        await using var probe = server.SocketProbe();
        await probe.Transport.ConnectAsync(probe.Token);

        await Should.ThrowAsync<NotSupportedException>(probe.Transport.StopAsync(probe.Token));
    }
}
