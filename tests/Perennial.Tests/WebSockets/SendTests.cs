using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;
using Perennial.WebSockets;
using static Perennial.Tests.Support.SseScripts;

namespace Perennial.Tests.WebSockets;

/// <summary>
/// Messages to the server: whole, in order, and never more often than the caller said; each with an honest word on its fate.
/// </summary>
public class SendTests
{
    private const int MoreThanTheLineHolds = 64 * 1024 * 1024;

    private readonly ConcurrentQueue<Frame> _received = new();

    [Fact]
    public async Task Text_bytes_and_json_leave_as_what_they_are()
    {
        await using var server = ScriptedServer.Start(Collects());
        await using var probe = server.SocketProbe();

        (await probe.Transport.SendAsync("hé", probe.Token)).ShouldBe(SendOutcome.Sent);
        await probe.Transport.SendAsync(new byte[] { 1, 2 }, probe.Token);
        await probe.Transport.SendJsonAsync(
            7, JsonTypeInfo.CreateJsonTypeInfo<int>(new() { TypeInfoResolver = new DefaultJsonTypeInfoResolver() }), probe.Token);

        await CollectedAsync(3);
        _received.Select(static frame => (frame.Opcode, frame.Text)).ShouldBe([(1, "hé"), (2, "\u0001\u0002"), (1, "7")]);
        _received.ShouldAllBe(static frame => frame.IsMasked && frame.IsLast && frame.Reserved == 0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(125)]
    [InlineData(126)]
    [InlineData(65535)]
    [InlineData(65536)]
    public async Task A_message_of_any_size_leaves_whole(int size)
    {
        var payload = new byte[size];
        new Random(size).NextBytes(payload);
        await using var server = ScriptedServer.Start(Collects());
        await using var probe = server.SocketProbe();

        await probe.Transport.SendAsync(payload, probe.Token);

        await CollectedAsync(1);
        _received.Single().Payload.ShouldBe(payload);
    }

    [Fact]
    public async Task The_order_of_the_calls_is_kept()
    {
        await using var server = ScriptedServer.Start(Collects());
        await using var probe = server.SocketProbe();

        await Task.WhenAll(Enumerable.Range(0, 200).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)));

        await CollectedAsync(200);
        _received.Select(static frame => frame.Text).ShouldBe(Enumerable.Range(0, 200).Select(static i => $"{i}"));
    }

    [Fact]
    public async Task Messages_wait_while_there_is_no_connection_and_leave_in_order()
    {
        var clock = new ManualTimeProvider();
        await using var server = ScriptedServer.Start(Status(503), ServerSocket.SendsAndEnds(Frame.OfText("a")), Collects());
        await using var probe = server.SocketProbe(static options => options with { Reconnect = TransportProbe.WithoutJitter }, clock);
        var connecting = probe.Transport.ConnectAsync(probe.Token);
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(1), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(1));
        await connecting;
        await probe.WaitForAsync<ReconnectingEvent>(2);

        var sends = Enumerable.Range(0, 5).Select(i => probe.Transport.SendAsync($"{i}", probe.Token)).ToList();
        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(2), probe.Token);        // a message without an id cleared no attempt
        sends.ShouldAllBe(static send => !send.IsCompleted);
        clock.Advance(TimeSpan.FromSeconds(2));

        await Task.WhenAll(sends);
        await CollectedAsync(5);
        _received.Select(static frame => frame.Text).ShouldBe(Enumerable.Range(0, 5).Select(static i => $"{i}"));
    }

    [Fact]
    public async Task A_full_queue_refuses_the_next_message_at_once()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe = server.SocketProbe(static options => options with { Send = new() { QueueCapacity = 2 } });
        var waiting = new[] { probe.Transport.SendAsync("1", probe.Token), probe.Transport.SendAsync("2", probe.Token) };

        await ShouldFailAsync(probe.Transport.SendAsync("3", probe.Token), TransportErrorCode.SendQueueFull, DeliveryStatus.NotSent);

        await probe.Transport.CloseAsync(probe.Token);
        foreach (var send in waiting)
        {
            await ShouldFailAsync(send, TransportErrorCode.NotConnected, DeliveryStatus.NotSent);
        }
    }

    [Fact]
    public async Task A_message_that_is_too_large_is_a_mistake_of_the_caller()
    {
        await using var server = ScriptedServer.Start(NeverAnswer);
        await using var probe = server.SocketProbe(static options => options with { Send = new() { MaxMessageBytes = 3 } });

        Should.Throw<ArgumentException>(() => { _ = probe.Transport.SendAsync("four", probe.Token); });
    }

    [Fact]
    public async Task After_a_close_nothing_is_sent()
    {
        await using var server = ScriptedServer.Start(Collects());
        await using var probe = server.SocketProbe();
        await probe.Transport.ConnectAsync(probe.Token);
        await probe.Transport.CloseAsync(probe.Token);

        await ShouldFailAsync(probe.Transport.SendAsync("late", probe.Token), TransportErrorCode.NotConnected, DeliveryStatus.NotSent);

        _received.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_message_whose_connection_dies_under_it_has_an_unknown_fate_and_is_not_repeated()
    {
        await using var server = ScriptedServer.Start(
            ServerSocket.Script(static async socket =>
            {
                await socket.BeginReceiveAsync();
                await socket.ResetAsync();
            }),
            Collects());
        await using var probe = server.SocketProbe(WithLargeMessages);

        var send = probe.Transport.SendAsync(new byte[MoreThanTheLineHolds], probe.Token);
        await ShouldFailAsync(send, TransportErrorCode.ConnectionLost, DeliveryStatus.Unknown);
        await probe.Transport.SendAsync("after", probe.Token);

        await CollectedAsync(1);
        _received.Single().Text.ShouldBe("after");
    }

    [Fact]
    public async Task A_message_taken_back_before_its_turn_does_not_leave()
    {
        var open = new TaskCompletionSource();
        await using var server = ScriptedServer.Start(async exchange =>
        {
            await open.Task.Soon();
            await Collects()(exchange);
        });
        await using var probe = server.SocketProbe();
        using var cancel = new CancellationTokenSource();
        var sends = new[] { probe.Transport.SendAsync("1", cancel.Token), probe.Transport.SendAsync("2", probe.Token), probe.Transport.SendAsync("3", cancel.Token) };

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(sends[0]);
        await Should.ThrowAsync<OperationCanceledException>(sends[2]);
        open.SetResult();
        await sends[1];
        await probe.Transport.SendAsync("4", probe.Token);

        await CollectedAsync(2);
        _received.Select(static frame => frame.Text).ShouldBe(["2", "4"]);
    }

    [Fact]
    public async Task A_wait_that_ends_in_the_middle_of_a_message_leaves_message_and_connection_whole()
    {
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = ScriptedServer.Start(ReceivesWhenTold(begun, goOn));
        await using var probe = server.SocketProbe(WithLargeMessages);
        using var cancel = new CancellationTokenSource();
        var send = probe.Transport.SendAsync(new byte[MoreThanTheLineHolds], cancel.Token);
        await begun.Task.Soon();

        await cancel.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(send);
        var next = probe.Transport.SendAsync("after", probe.Token);
        goOn.SetResult();

        (await next).ShouldBe(SendOutcome.Sent);
        await CollectedAsync(2);
        _received.Select(static frame => frame.Payload.Length).ShouldBe([MoreThanTheLineHolds, 5]);
        server.Connections.ShouldBe(1);
    }

    [Fact]
    public async Task A_message_that_takes_too_long_to_leave_says_so_and_the_time_of_those_behind_it_does_not_begin()
    {
        var clock = new ManualTimeProvider();
        var (begun, goOn) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var server = ScriptedServer.Start(ReceivesWhenTold(begun, goOn));
        await using var probe = server.SocketProbe(WithLargeMessages, clock);
        var send = probe.Transport.SendAsync(new byte[MoreThanTheLineHolds], probe.Token);
        await begun.Task.Soon();

        await clock.WaitForTimerAsync(TimeSpan.FromSeconds(30), probe.Token);
        clock.Advance(TimeSpan.FromSeconds(30));
        await ShouldFailAsync(send, TransportErrorCode.SendTimeout, DeliveryStatus.Unknown);
        var behind = probe.Transport.SendAsync("behind", probe.Token);
        clock.Advance(TimeSpan.FromMinutes(1));
        behind.IsCompleted.ShouldBeFalse();
        goOn.SetResult();

        (await behind).ShouldBe(SendOutcome.Sent);
        await CollectedAsync(2);
        _received.Select(static frame => frame.Payload.Length).ShouldBe([MoreThanTheLineHolds, 6]);
        server.Connections.ShouldBe(1);
    }

    /// <summary>Without heartbeats, since a ping may leave between two frames and be collected with them.</summary>
    private static WebSocketTransportOptions WithLargeMessages(WebSocketTransportOptions options) =>
        options with { Send = new() { MaxMessageBytes = MoreThanTheLineHolds }, Heartbeat = new() { Interval = Timeout.InfiniteTimeSpan } };

    private static async Task ShouldFailAsync(Task<SendOutcome> send, TransportErrorCode code, DeliveryStatus delivery)
    {
        var error = await Should.ThrowAsync<TransportException>(send.Soon());
        (error.Code, error.Delivery).ShouldBe((code, delivery));
    }

    /// <summary>Takes every frame but the goodbye, which it answers.</summary>
    private Func<ScriptedExchange, Task> Collects() => ServerSocket.Script(socket => CollectAsync(socket));

    /// <summary>The same, but after the first byte it waits.</summary>
    private Func<ScriptedExchange, Task> ReceivesWhenTold(TaskCompletionSource begun, TaskCompletionSource goOn) =>
        ServerSocket.Script(async socket =>
        {
            var first = await socket.BeginReceiveAsync();
            begun.SetResult();
            await goOn.Task.WaitAsync(socket.Stopping);
            await CollectAsync(socket, first);
        });

    private async Task CollectAsync(ServerSocket socket, byte? begun = null)
    {
        while (await socket.ReceiveAsync(begun) is { Opcode: not 8 } frame)
        {
            begun = null;
            _received.Enqueue(frame);
        }

        await socket.SendAsync(Frame.Close(1000));
    }

    private Task CollectedAsync(int count) => Patience.Until(() => _received.Count >= count, $"{count} messages arrived");
}
