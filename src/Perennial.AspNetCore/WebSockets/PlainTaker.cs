using System.Net.WebSockets;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Takes what a client sends that does not speak <c>perennial.v1</c>: each message is one for the producer, and nobody answers.</summary>
internal sealed class PlainTaker(IRunLog log, SocketRights rights, int maxMessageBytes, TimeProvider time) : ISocketTaker
{
    public async ValueTask<int?> TakeAsync(SocketMessage message, CancellationToken leave)
    {
        if (message.IsTorn || message.Data.Length > maxMessageBytes)
            return SocketClose.TooBig;
        if (!await rights.MaySendAsync())
            return SocketClose.Forbidden;
        var taken = new RunMessage { Data = message.Data.ToArray(), IsBinary = message.Type == WebSocketMessageType.Binary };
        ReceivedMessages.Count("websocket", await PatientInbox.ReceiveAsync(log, taken, time, leave));
        return null;
    }

    public void OnSilence()
    {
    }
}
