using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>A reader over a WebSocket without <c>perennial.v1</c>: it gets only the data of each event.</summary>
internal sealed class PlainSink(SocketFrames frames) : ISocketSink
{
    public int EndCode { get; private set; } = CloseCodes.Done;

    public void Write(RunRecord record)
    {
        var content = record.Content;
        if (EventNames.IsReserved(content.EventType))
        {
            EndCode = string.Equals(content.EventType, EventNames.Failed, StringComparison.Ordinal) ? CloseCodes.Failed : CloseCodes.Done;
        }
        else
        {
            frames.Add(content.Data, content.Kind == RunDataKind.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text);
        }
    }

    public void Write(ControlEvent control)
    {
    }

    // The socket sends unsolicited pongs (RFC 6455, section 5.5.3).
    public void WriteHeartbeat()
    {
    }

    public ValueTask FlushAsync(CancellationToken cancellationToken) => frames.FlushAsync(cancellationToken);
}
