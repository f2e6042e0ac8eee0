using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>A reader over a WebSocket that speaks <c>perennial.v1</c>. It also sends the answers to the client's messages.</summary>
/// <remarks>A client reads nothing after the end event. So the end event waits until every recorded message has its answer.</remarks>
internal sealed class PerennialSink(SocketFrames frames, SocketOutbox outbox) : ISocketSink
{
    private RunRecord? _end;

    public int EndCode => CloseCodes.Done;

    public void Write(RunRecord record)
    {
        if (EventNames.IsReserved(record.Content.EventType))
        {
            _end = record;
        }
        else
        {
            Add(Envelope.WithoutLineEnd(record.JsonLine));
        }
    }

    public void Write(ControlEvent control) => Add(Envelope.WithoutLineEnd(control.EncodeLine()));

    public void WriteHeartbeat() => Add(Envelope.WithoutLineEnd(Envelope.HeartbeatLine));

    public bool WriteAside() => outbox.TakeTo(frames);

    public ValueTask FlushAsync(CancellationToken cancellationToken) =>
        _end is null ? frames.FlushAsync(cancellationToken) : FlushEndAsync(_end, cancellationToken);

    private async ValueTask FlushEndAsync(RunRecord end, CancellationToken cancellationToken)
    {
        await outbox.SettleAsync(cancellationToken);
        WriteAside();
        Add(Envelope.WithoutLineEnd(end.JsonLine));
        await frames.FlushAsync(cancellationToken);
    }

    private void Add(ReadOnlyMemory<byte> envelope) => frames.Add(envelope, WebSocketMessageType.Text);
}
