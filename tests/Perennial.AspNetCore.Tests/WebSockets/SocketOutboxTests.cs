using System.Net.WebSockets;
using System.Text;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.WebSockets;

namespace Perennial.AspNetCore.Tests.WebSockets;

public class SocketOutboxTests
{
    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    [Fact(Timeout = RunServer.Hang)]
    public async Task Answers_keep_their_order_and_one_acknowledgement_stands_for_those_before()
    {
        var outbox = new SocketOutbox(new RunSignal());
        outbox.Welcome(0);
        outbox.Acknowledge(1);
        outbox.Acknowledge(2);
        outbox.Refuse(3, "ended");
        outbox.Acknowledge(4);
        outbox.Acknowledge(5);

        var sent = await TakeAsync(outbox);

        sent.Count(text => text.Contains("perennial.ack", StringComparison.Ordinal)).ShouldBe(3);
        sent[0].ShouldBe(SocketClient.Ack(0));
        sent[1].ShouldBe(SocketClient.Ack(2));
        sent[2].ShouldContain("\"number\":3");
        sent[3].ShouldBe(SocketClient.Ack(5));
        (await TakeAsync(outbox)).ShouldBeEmpty();
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task Who_is_not_listened_to_waits_until_it_is_or_has_to_go()
    {
        var news = new RunSignal();
        var outbox = new SocketOutbox(news);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(TestEnds);
        for (var n = 0; n < 100; n++)
        {
            await outbox.WaitForRoomAsync(leave.Token);
            outbox.Welcome(n);
        }

        var waiting = outbox.WaitForRoomAsync(leave.Token).AsTask();
        await news.WaitAsync();
        waiting.IsCompleted.ShouldBeFalse();
        (await TakeAsync(outbox)).Count.ShouldBe(100);
        await waiting;

        for (var n = 0; n < 100; n++)
        {
            outbox.Welcome(n);
        }

        waiting = outbox.WaitForRoomAsync(leave.Token).AsTask();
        await leave.CancelAsync();
        await Should.ThrowAsync<OperationCanceledException>(waiting);
    }

    [Fact(Timeout = RunServer.Hang)]
    public async Task What_is_being_recorded_is_answered_before_the_end()
    {
        var outbox = new SocketOutbox(new RunSignal());
        using var wire = new MemoryStream();
        using var socket = WebSocket.CreateFromStream(wire, new WebSocketCreationOptions { IsServer = true });
        await using var frames = new SocketFrames(socket, stream: null, ReaderKind.WebSocket, TimeSpan.FromMinutes(1), TimeProvider.System);
        var sink = new PerennialSink(frames, outbox);
        await outbox.BeginRecordingAsync(TestEnds);

        sink.WriteAside().ShouldBeFalse();
        sink.Write(new RunRecord("epoch", 8, RunEnd.Completed.ToEvent()));
        var flush = sink.FlushAsync(TestEnds).AsTask();
        wire.Length.ShouldBe(0);
        outbox.Acknowledge(7);
        outbox.EndRecording();
        await flush;

        var sent = Encoding.UTF8.GetString(wire.ToArray());
        sent.ShouldContain(SocketClient.Ack(7));
        sent.IndexOf("perennial.completed", StringComparison.Ordinal).ShouldBeGreaterThan(
            sent.IndexOf("perennial.ack", StringComparison.Ordinal));
        outbox.BeginRecordingAsync(TestEnds).IsCompleted.ShouldBeFalse("nobody would answer");
    }

    /// <summary>Takes what there is to say, and reads it as a client would.</summary>
    private static async Task<List<string>> TakeAsync(SocketOutbox outbox)
    {
        using var wire = new MemoryStream();
        using var writing = WebSocket.CreateFromStream(wire, new WebSocketCreationOptions { IsServer = true });
        await using var frames = new SocketFrames(writing, stream: null, ReaderKind.WebSocket, TimeSpan.FromMinutes(1), TimeProvider.System);
        outbox.TakeTo(frames);
        await frames.FlushAsync(TestEnds);
        wire.Position = 0;
        List<string> texts = [];
        using var reading = WebSocket.CreateFromStream(wire, new WebSocketCreationOptions { IsServer = false });
        var block = new byte[1024];
        while (wire.Position < wire.Length)
        {
            var received = await reading.ReceiveAsync(block.AsMemory(), TestEnds);
            texts.Add(Encoding.UTF8.GetString(block, 0, received.Count));
        }

        return texts;
    }
}
