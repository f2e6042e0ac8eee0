using System.Net.WebSockets;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Requests;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>
/// Handles messages of a client without <c>perennial.v1</c>: each is a message to the producer, without an acknowledgement.
/// </summary>
internal sealed class PlainTaker(PatientInbox inbox, SocketRights rights, int maxMessageBytes) : ISocketTaker
{
    public async ValueTask<int?> TakeAsync(SocketMessage message, CancellationToken leave)
    {
        if (message.IsTorn || message.Data.Length > maxMessageBytes)
        {
            return Refuse(CloseCodes.TooBig, RefusalCodes.TooLarge);
        }

        if (!await rights.MaySendAsync())
        {
            return Refuse(CloseCodes.Forbidden, RefusalCodes.Forbidden);
        }

        var taken = new RunMessage { Data = message.Data.ToArray(), IsBinary = message.Type == WebSocketMessageType.Binary };
        await inbox.WaitForTurnAsync(leave);
        ReceivedMessages.Count("websocket", await inbox.ReceiveAsync(taken, leave));
        return null;
    }

    public void OnSilence()
    {
    }

    private static int Refuse(int code, string reason)
    {
        PerennialServerTelemetry.CountRefusal(reason);
        return code;
    }
}
