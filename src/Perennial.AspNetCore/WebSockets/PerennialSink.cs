using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>A reader over a WebSocket that speaks <c>perennial.v1</c>. It is also who sends the answers to what the client sends.</summary>
internal sealed class PerennialSink(SocketFrames frames, SocketOutbox outbox) : ISocketSink
{
    private static readonly byte[] Heartbeat = JsonLine.Heartbeat[..^1].ToArray();

    public int EndCode => SocketClose.Done;

    public void Write(RunRecord record) => Add(SocketWords.WithoutLineEnd(record.JsonLine));

    public void Write(ControlEvent control) => Add(SocketWords.WithoutLineEnd(JsonLine.Encode(id: null, control.Content)));

    public void WriteHeartbeat() => Add(Heartbeat);

    public bool WriteAside() => outbox.TakeTo(frames);

    public ValueTask FlushAsync(CancellationToken cancellationToken) => frames.FlushAsync(cancellationToken);

    private void Add(ReadOnlyMemory<byte> envelope) => frames.Add(envelope, WebSocketMessageType.Text);
}
