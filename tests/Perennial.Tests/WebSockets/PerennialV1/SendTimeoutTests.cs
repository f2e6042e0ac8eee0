using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.WebSockets;
using static Perennial.Tests.WebSockets.PerennialV1.PerennialSocket;

namespace Perennial.Tests.WebSockets.PerennialV1;

/// <summary>How long an answer to a numbered send may take, and what does not count.</summary>
public class SendTimeoutTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(7);

    private readonly ManualTimeProvider _clock = new();
    private readonly TaskCompletionSource _heard = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _goOn = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Fact]
    public async Task A_message_without_an_answer_in_time_has_an_unknown_fate_and_those_behind_it_are_answered()
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(1);
            _heard.SetResult();
            await socket.HearSendsAsync(1);
            await socket.AcknowledgeAsync(2);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = For(server);
        var late = probe.Transport.SendAsync("a", probe.Token);
        await _heard.Task;
        await _clock.WaitForTimerAsync(Limit, probe.Token);

        _clock.Advance(Limit);

        await ShouldTimeOutAsync(late);
        (await probe.Transport.SendAsync("b", probe.Token)).ShouldBe(SendOutcome.Acknowledged);
        probe.Transport.IsConnected.ShouldBeTrue();
    }

    [Fact]
    public async Task The_time_begins_anew_on_the_next_connection_and_stands_still_without_one()
    {
        await using var server = ScriptedServer.Start(
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(1);
            }),
            Script(async socket =>
            {
                await socket.MeetAsync(0);
                await socket.HearSendsAsync(1);
                _heard.SetResult();
                await _goOn.Task;
                await socket.AcknowledgeAsync(1);
                await socket.WaitForGoodbyeAsync();
            }));
        await using var probe = For(
            server,
            static options => options with { Reconnect = TransportProbe.WithoutJitter with { InitialDelay = TimeSpan.FromSeconds(20) } });
        var send = probe.Transport.SendAsync("a", probe.Token);
        await probe.WaitForAsync<ReconnectingEvent>();
        await _clock.WaitForTimerAsync(TimeSpan.FromSeconds(20), probe.Token);

        _clock.Advance(TimeSpan.FromSeconds(20));
        await _heard.Task;
        _clock.Advance(Limit - TimeSpan.FromTicks(1));
        send.IsCompleted.ShouldBeFalse();
        _goOn.SetResult();

        (await send).ShouldBe(SendOutcome.Acknowledged);
    }

    [Fact]
    public async Task The_time_stands_still_while_nobody_reads()
    {
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.SayAsync(Event(1), Event(2));
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(1);
            _heard.SetResult();
            await _goOn.Task;       // an answer that came along with the events would be read with them
            await socket.AcknowledgeAsync(1);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = For(server, static options => options with { Buffer = new() { Capacity = 1 } });
        var send = probe.Transport.SendAsync("a", probe.Token);
        await _heard.Task;
        await Patience.Until(() => probe.Transport.GetMetrics().BufferSize == 1, "the read is over, and the buffer full");
        await _clock.WaitForTimerAsync(Limit, probe.Token);

        _clock.Advance(Limit);
        _clock.Advance(Limit);
        send.IsCompleted.ShouldBeFalse();
        _goOn.SetResult();

        await probe.ReadTextsAsync(2);
        (await send).ShouldBe(SendOutcome.Acknowledged);
    }

    [Fact]
    public async Task A_message_that_waits_behind_the_window_has_no_limit()
    {
        const int Window = 256;
        await using var server = ScriptedServer.Start(Script(async socket =>
        {
            await socket.MeetAsync(0);
            await socket.HearSendsAsync(Window);
            _heard.SetResult();
            await _goOn.Task;
            await socket.AcknowledgeAsync(Window);
            await socket.HearSendsAsync(1);
            await socket.AcknowledgeAsync(Window + 1);
            await socket.WaitForGoodbyeAsync();
        }));
        await using var probe = For(server, static options => options with { Send = options.Send with { QueueCapacity = 1000 } });
        var late = Enumerable.Range(0, Window).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)).ToList();
        var waits = probe.Transport.SendAsync("waits", probe.Token);
        await _heard.Task;
        await _clock.WaitForTimerAsync(Limit, probe.Token);

        _clock.Advance(Limit);

        foreach (var send in late)
        {
            await ShouldTimeOutAsync(send);
        }

        waits.IsCompleted.ShouldBeFalse();
        _goOn.SetResult();
        (await waits).ShouldBe(SendOutcome.Acknowledged);
    }

    private TransportProbe For(ScriptedServer server, Func<WebSocketTransportOptions, WebSocketTransportOptions>? change = null) =>
        server.SocketProbe(options => (change ?? (static same => same))(options with { Send = new() { Timeout = Limit } }), _clock);

    private static async Task ShouldTimeOutAsync(Task<SendOutcome> send)
    {
        var error = await Should.ThrowAsync<TransportException>(send.Soon());
        (error.Code, error.Delivery).ShouldBe((TransportErrorCode.SendTimeout, DeliveryStatus.Unknown));
    }
}
