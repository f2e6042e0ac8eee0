using System.Net.WebSockets;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Handles a client's messages in <c>perennial.v1</c>: records each first, and then answers.</summary>
internal sealed class PerennialTaker(
    RunLog log, PatientInbox inbox, SocketRights rights, SocketOutbox outbox, SocketForm form) : ISocketTaker
{
    private string? _sender;

    public async ValueTask<int?> TakeAsync(SocketMessage message, CancellationToken leave)
    {
        if (message.Type == WebSocketMessageType.Binary)
        {
            return CloseCodes.NoBytes;
        }

        await outbox.WaitForRoomAsync(leave);
        var word = message.IsTorn ? null : ClientMessage.Read(message.Data.Span, form.MaxMessageBytes);
        if (message.IsTorn || word is { Kind: ClientMessageKind.Send })
        {
            await WaitForTurnAsync(leave);
        }

        await outbox.BeginRecordingAsync(leave);
        try
        {
            return message.IsTorn ? await RefuseTornAsync(message) : await TakeAsync(word, leave);
        }
        finally
        {
            outbox.EndRecording();
        }
    }

    public void OnSilence() => outbox.Announce();

    // Earlier messages are acknowledged before the wait. Otherwise the client could take them for lost.
    private ValueTask WaitForTurnAsync(CancellationToken leave)
    {
        var turn = inbox.WaitForTurnAsync(leave);
        if (!turn.IsCompleted)
        {
            outbox.Announce();
        }

        return turn;
    }

    private async ValueTask<int?> TakeAsync(ClientMessage? read, CancellationToken leave)
    {
        if (read is not { } word)
        {
            return CloseCodes.BadRequest;
        }

        switch (word.Kind)
        {
            case ClientMessageKind.Sender:
                await WelcomeAsync(word);
                return null;
            case ClientMessageKind.Send when _sender is not null && !await rights.MaySendAsync():
                Refuse(word.Number, RefusalCodes.Forbidden);     // the run keeps no state for clients that may not send
                return null;
            case ClientMessageKind.Send when word.Data is null:
                return await RefuseAsync(word.Number);
            case ClientMessageKind.Send:
                return await RecordAsync(word, leave);
            case ClientMessageKind.Stop when !await rights.MayStopAsync():
                PerennialServerTelemetry.CountRefusal(RefusalCodes.Forbidden);
                outbox.RefuseStop();
                return null;
            case ClientMessageKind.Stop:
                await log.CloseAsync(RunEnd.Stopped, CancellationToken.None);
                return null;
            default:
                return null;
        }
    }

    private async ValueTask WelcomeAsync(ClientMessage word)
    {
        var state = await log.GetSenderAsync(word.SenderId!, word.Number, CancellationToken.None);
        _sender = word.SenderId;
        foreach (var refusal in state.Refusals)
        {
            outbox.Refuse(refusal.Number, refusal.Code);
        }

        outbox.Welcome(state.Received);
    }

    private async ValueTask<int?> RecordAsync(ClientMessage word, CancellationToken leave)
    {
        if (_sender is null)
        {
            return CloseCodes.BadRequest;
        }

        var message = new RunMessage { Sender = _sender, Number = word.Number, Data = word.Data, IsBinary = word.IsBinary };
        var result = await inbox.ReceiveAsync(message, leave);
        return Answer(result, word.Number);
    }

    private async ValueTask<int?> RefuseTornAsync(SocketMessage message)
    {
        if (ClientMessage.NumberOfBeginning(message.Data.Span) is not { } number)
        {
            return CloseCodes.TooBig;
        }

        if (_sender is null || await rights.MaySendAsync())
        {
            return await RefuseAsync(number);
        }

        Refuse(number, RefusalCodes.Forbidden);
        return null;
    }

    private async ValueTask<int?> RefuseAsync(long number)
    {
        if (_sender is null)
        {
            return CloseCodes.BadRequest;
        }

        var refused = new RunMessage { Sender = _sender, Number = number, Refusal = RefusalCodes.TooLarge };
        var result = await log.ReceiveAsync(refused, CancellationToken.None);
        if (result.Outcome is not (ReceiveOutcome.Accepted or ReceiveOutcome.Repeated))
        {
            return Answer(result, number);
        }

        Refuse(number, RefusalCodes.TooLarge);
        return null;
    }

    private void Refuse(long number, string code)
    {
        PerennialServerTelemetry.CountRefusal(code);
        outbox.Refuse(number, code);
    }

    private int? Answer(ReceiveResult result, long number)
    {
        ReceivedMessages.Count(form.Kind.Name(), result);
        switch (result.Outcome)
        {
            case ReceiveOutcome.Hole:
                return CloseCodes.BadRequest;
            case ReceiveOutcome.Ended:
                Refuse(number, RefusalCodes.Ended);
                return null;
            case ReceiveOutcome.NotTaken:
                Refuse(number, RefusalCodes.Forbidden);
                return null;
            default:
                outbox.Acknowledge(number);
                return null;
        }
    }
}
