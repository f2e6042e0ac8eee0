using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.WebSockets;

/// <summary>Leaving: politely where the peer is polite, within bounds where it is not, and from everywhere.</summary>
public class ClosingTests
{
    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task The_server_sees_a_goodbye_and_its_answer_ends_the_connection()
    {
        Frame? goodbye = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            goodbye = await socket.ReceiveAsync();
            await socket.SendAsync(Frame.OfText("late"), Frame.Close(1000));
        }));
        await using var probe = server.SocketProbe(time: _clock);
        await probe.Transport.ConnectAsync(probe.Token);

        await probe.Transport.CloseAsync(probe.Token);

        (goodbye!.Opcode, goodbye.CloseCode, goodbye.IsMasked).ShouldBe((8, 1000, true));
        (await probe.Transport.Completion).ShouldBe(new StreamEnd { Reason = StreamEndReason.Closed });
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        _clock.ActiveTimers.ShouldBe(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_peer_that_does_not_answer_is_left(bool talksOn)
    {
        var goodbye = new TaskCompletionSource<Frame?>();
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"));
            goodbye.SetResult(await socket.ReceiveAsync());
            while (talksOn)
            {
                await socket.SendAsync(Frame.OfText(new string('x', 10_000)) with { IsLast = false }, Frame.Continuation("."));
            }

            await socket.WaitForClientCloseAsync();
        }));
        await using var probe = server.SocketProbe(time: _clock);
        await probe.ReadTextsAsync(1);

        var closing = probe.Transport.CloseAsync(probe.Token);
        (await goodbye.Task.Soon())!.Opcode.ShouldBe(8);
        closing.IsCompleted.ShouldBeFalse();
        await _clock.WaitForTimerAsync(Sockets.CloseLimit, probe.Token);
        _clock.Advance(Sockets.CloseLimit);

        await closing;
        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        _clock.ActiveTimers.ShouldBe(0);
    }

    [Fact]
    public async Task A_peer_that_reads_nothing_is_left_and_the_message_on_its_way_has_an_unknown_fate()
    {
        var begun = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.BeginReceiveAsync();
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, socket.Stopping);
        }));
        await using var probe =
            server.SocketProbe(static options => options with { Send = new() { MaxMessageBytes = 64 * 1024 * 1024 } }, _clock);
        var send = probe.Transport.SendAsync(new byte[64 * 1024 * 1024], probe.Token);
        await begun.Task.Soon();

        var closing = probe.Transport.CloseAsync(probe.Token);
        await _clock.WaitForTimerAsync(Sockets.CloseLimit, probe.Token);
        _clock.Advance(Sockets.CloseLimit);

        await closing;
        var error = await Should.ThrowAsync<TransportException>(send.Soon());
        error.Delivery.ShouldBe(DeliveryStatus.Unknown);
    }

    [Theory]
    [InlineData("idle")]
    [InlineData("connecting")]
    [InlineData("connected")]
    [InlineData("waiting to reconnect")]
    [InlineData("failed")]
    [InlineData("closed")]
    [InlineData("paused")]
    [InlineData("paused with messages behind")]
    [InlineData("full")]
    [InlineData("within a message")]
    public async Task It_can_be_disposed_in_every_state_and_leaves_nothing(string state)
    {
        Func<ScriptedExchange, Task> script = state switch
        {
            "connecting" => NeverAnswer,
            "waiting to reconnect" => Status(503, ("Connection", "close")),
            "failed" => Status(404, ("Connection", "close")),
            "paused with messages behind" or "full" => Chatty([.. EventStreams.Numbers(1, 1000).Select(Frame.OfText)]),
            "within a message" => Chatty(Frame.OfText("a") with { IsLast = false }),
            _ => Chatty(),
        };
        await using var server = ScriptedServer.Start(script);
        var probe = server.SocketProbe(
            options => options with { Reconnect = TransportProbe.WithoutJitter, Buffer = new() { Capacity = state is "full" ? 1 : 1000 } },
            _clock);
        await EnterAsync(probe, server, state);

        await probe.DisposeAsync().Soon();

        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        await Patience.Until(() => _clock.ActiveTimers == 0, "no timer is left");
        probe.Transport.State.ShouldBe(TransportState.Closed);
    }

    private static Func<ScriptedExchange, Task> Chatty(params Frame[] frames) => ServerSocket.Script(async socket =>
    {
        await socket.SendAsync(frames);
        if (await socket.ReceiveNextAsync(8) is not null)
        {
            await socket.SendAsync(Frame.Close(1000));
        }
    });

    private static async Task EnterAsync(TransportProbe probe, ScriptedServer server, string state)
    {
        if (state is "idle")
        {
            return;
        }

        if (state.StartsWith("paused", StringComparison.Ordinal))
        {
            probe.Transport.Pause();
        }

        var connecting = probe.Transport.ConnectAsync(probe.Token);
        switch (state)
        {
            case "connecting":
                await server.WaitForRequestsAsync(1, probe.Token);
                _ = connecting.ContinueWith(static task => task.Exception, TaskScheduler.Default);
                break;
            case "waiting to reconnect":
                await probe.WaitForAsync<ReconnectingEvent>();
                _ = connecting.ContinueWith(static task => task.Exception, TaskScheduler.Default);
                break;
            case "failed":
                await Should.ThrowAsync<TransportException>(connecting);
                break;
            case "closed":
                await connecting;
                await probe.Transport.CloseAsync(probe.Token);
                break;
            default:
                await connecting;
                break;
        }
    }
}
