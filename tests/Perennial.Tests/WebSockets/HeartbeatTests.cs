using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.WebSockets;

namespace Perennial.Tests.WebSockets;

/// <summary>Signs of life: asked for after a silence, given whether or not anybody reads, and missed only where they are missing.</summary>
public class HeartbeatTests
{
    private const string JsonPing = """{"type":"ping"}""";
    private const string JsonPong = """{"type":"pong"}""";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan Answer = TimeSpan.FromSeconds(10);
    private static readonly HeartbeatOptions Heartbeat = new() { Interval = Interval, Timeout = Answer };

    private readonly ManualTimeProvider _clock = new();

    [Fact]
    public async Task A_peer_that_gives_no_sign_of_life_is_asked_for_one_and_then_replaced()
    {
        var question = new TaskCompletionSource<Frame?>();
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(async socket =>
            {
                await socket.SendAsync(Frame.OfText("a"));
                question.SetResult(await socket.ReceiveAsync());
                await socket.WaitForClientCloseAsync();
            }),
            ServerSocket.Sends(Frame.OfText("b"), Frame.Close(1000)));
        await using var probe = For(server);
        (await probe.ReadTextsAsync(1)).ShouldBe(["a"]);

        _clock.Advance(Interval);
        var ping = (await question.Task.Soon())!;
        (ping.Opcode, ping.IsLast, ping.IsMasked, ping.Payload.Length).ShouldBe((9, true, true, 0));
        probe.All<ErrorEvent>().ShouldBeEmpty();
        _clock.Advance(Answer);

        (await probe.ReadTextsAsync()).ShouldBe(["b"]);
        var error = await probe.WaitForAsync<ErrorEvent>();
        (error.Code, error.IsRecoverable).ShouldBe((TransportErrorCode.IdleTimeout, true));
    }

    [Fact(Timeout = Patience.Hang)]
    public async Task A_peer_has_as_long_for_its_answer_as_the_interval_unless_told_otherwise()
    {
        var asked = new TaskCompletionSource<Frame?>();
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(async socket =>
            {
                await socket.SendAsync(Frame.OfText("a"));
                asked.SetResult(await socket.ReceiveAsync());
                await socket.WaitForClientCloseAsync();
            }),
            ServerSocket.Sends(Frame.OfText("b"), Frame.Close(1000)));
        await using var probe =
            For(server, static options => options with { Heartbeat = new() { Interval = TimeSpan.FromMilliseconds(300) } });
        await probe.ReadTextsAsync(1);

        _clock.Advance(TimeSpan.FromMilliseconds(300));
        await asked.Task.Soon();
        _clock.Advance(TimeSpan.FromMilliseconds(300));

        (await probe.ReadTextsAsync()).ShouldBe(["b"]);
        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
    }

    [Fact]
    public async Task A_peer_that_gives_signs_of_life_is_kept()
    {
        var heard = new SemaphoreSlim(0);
        var asked = new SemaphoreSlim(0);
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"));
            for (var beat = 0; beat < 5; beat++)
            {
                await socket.SendAsync(Frame.Ping());
                await socket.ReceiveNextAsync(10);       // so that the client has read it
                heard.Release();
                await socket.ReceiveNextAsync(9);
                asked.Release();
            }

            await socket.SendAsync(Frame.Close(1000));
            await socket.ReceiveNextAsync(8);
        }));
        await using var probe = For(server, static options => options with { Heartbeat = Heartbeat with { Timeout = 3 * Interval } });
        await probe.ReadTextsAsync(1);

        for (var beat = 0; beat < 5; beat++)
        {
            await heard.WaitAsync(probe.Token);
            do
            {
                _clock.Advance(Interval);       // again where the last question had reached the server, but not quite come to its end here
            }
            while (!await asked.WaitAsync(TimeSpan.FromSeconds(1), probe.Token));
        }

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
        server.Connections.ShouldBe(1);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_is_asked_where_the_heartbeat_is_off()
    {
        Frame? first = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"));
            first = await socket.ReceiveAsync();
        }));
        await using var probe = For(server, static options => options with { Heartbeat = new() { Interval = Timeout.InfiniteTimeSpan } });
        await probe.ReadTextsAsync(1);

        _clock.Advance(TimeSpan.FromMinutes(4));
        await probe.Transport.CloseAsync(probe.Token);

        await Patience.Until(() => server.LiveConnections == 0, "the connection is closed");
        first.ShouldNotBeNull().Opcode.ShouldBe(8);
    }

    [Fact]
    public async Task Heartbeats_may_be_messages_which_nobody_reads()
    {
        Frame? question = null, answer = null;
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.SendAsync(Frame.OfText("a"));
            question = await socket.ReceiveAsync();
            await socket.SendAsync(Frame.OfText(JsonPong), Frame.OfText(JsonPing));
            answer = await socket.ReceiveAsync();
            await socket.SendAsync(Frame.OfText("""{"type":"\ud800"}"""), Frame.OfBinary("""{"type":"ping"}"""u8.ToArray()), Frame.Close(1000));
            await socket.ReceiveNextAsync(8);
        }));
        await using var probe = For(server, static options => options with { Heartbeat = Heartbeat with { AsJson = true } });
        await probe.ReadTextsAsync(1);

        _clock.Advance(Interval);

        (await probe.ReadTextsAsync()).ShouldBe(["""{"type":"\ud800"}""", JsonPing]);
        (question!.Opcode, question.Text).ShouldBe((1, JsonPing));
        (answer!.Opcode, answer.Text).ShouldBe((1, JsonPong));
    }

    [Fact]
    public async Task A_peer_that_answers_no_message_is_replaced()
    {
        var isAsked = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(async socket =>
            {
                await socket.SendAsync(Frame.OfText("a"));
                await socket.ReceiveAsync();
                isAsked.SetResult();
                await socket.WaitForClientCloseAsync();
            }),
            ServerSocket.Sends(Frame.Close(1000)));
        await using var probe = For(server, static options => options with { Heartbeat = Heartbeat with { AsJson = true } });
        await probe.ReadTextsAsync(1);

        _clock.Advance(Interval);
        await isAsked.Task.Soon();
        _clock.Advance(Answer);

        (await probe.ReadTextsAsync()).ShouldBeEmpty();
        (await probe.WaitForAsync<ErrorEvent>()).Code.ShouldBe(TransportErrorCode.IdleTimeout);
    }

    [Theory]
    [InlineData(0, 1000)]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(256, 1)]
    public async Task Pings_are_answered_while_nobody_takes_the_messages(int messages, int capacity)
    {
        var pong = new TaskCompletionSource<string>();
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            if (messages > 0)
            {
                await socket.SendAsync([.. EventStreams.Numbers(1, messages).Select(Frame.OfText)]);
            }

            await socket.SendAsync(Frame.Ping("?"));
            pong.SetResult((await socket.ReceiveNextAsync(10))!.Text);
            await socket.SendAsync(Frame.Close(1000));
            await socket.ReceiveNextAsync(8);
        }));
        await using var probe = For(server, options => options with { Buffer = new() { Capacity = capacity } });
        if (messages == 0)
        {
            probe.Transport.Pause();
        }

        await probe.Transport.ConnectAsync(probe.Token);

        (await pong.Task.Soon()).ShouldBe("?");
        probe.Transport.Resume();
        (await probe.ReadTextsAsync()).Count.ShouldBe(messages);
    }

    [Fact]
    public async Task A_pause_longer_than_every_limit_loses_no_connection()
    {
        var ask = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(ServerSocket.Script(async socket =>
        {
            await socket.ReceiveNextAsync(9);
            ask.SetResult();
            await socket.SendAsync(Frame.OfText("a"), Frame.Close(1000));
            await socket.ReceiveNextAsync(8);
        }));
        await using var probe = For(server);
        probe.Transport.Pause();
        await probe.Transport.ConnectAsync(probe.Token);
        await _clock.WaitForTimerAsync(Interval + Answer, probe.Token);

        for (var i = 0; i < 10; i++)
        {
            _clock.Advance(Interval);
        }

        await ask.Task.Soon();
        probe.Transport.Resume();
        (await probe.ReadTextsAsync()).ShouldBe(["a"]);
        server.Connections.ShouldBe(1);
        probe.All<ErrorEvent>().ShouldBeEmpty();
    }

    private TransportProbe For(ScriptedServer server, Func<WebSocketTransportOptions, WebSocketTransportOptions>? change = null) =>
        server.SocketProbe(options => (change ?? (static same => same))(options with { Heartbeat = Heartbeat }), _clock);
}
