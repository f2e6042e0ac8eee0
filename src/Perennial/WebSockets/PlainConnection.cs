using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>A WebSocket whose messages are the stream's, one each, without ids: as any server speaks it.</summary>
/// <param name="upgraded">The upgraded connection.</param>
/// <param name="creation">How the socket is to be made.</param>
/// <param name="options">What the transport was told.</param>
/// <param name="time">The clock.</param>
internal sealed class PlainConnection(
    Stream upgraded, WebSocketCreationOptions creation, WebSocketTransportOptions options, TimeProvider time)
    : WebSocketConnection(upgraded, creation, options, time)
{
    private Task _answer = Task.CompletedTask;          // to the last JSON ping

    public override StreamSignal Classify(in StreamMessage message)
    {
        if (Options.HeartbeatRules.AsJson && JsonHeartbeat.Recognise(in message) is not JsonHeartbeat.Kind.None and var kind)
        {
            if (kind == JsonHeartbeat.Kind.Ping && _answer.IsCompleted)
            {
                // One at a time, whatever the peer asks: it is not to fill our memory with answers it does not read (RFC 6455, 5.5.3).
                _answer = Sender.TrySendAsync(JsonHeartbeat.Pong);
            }

            return StreamSignal.Ignored;
        }

        return Options.Classify is { } classify ? classify(in message)
            : message.IsBinary ? StreamSignal.None
            : JsonConventions.Classify(in message);
    }

    public override async ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken)
    {
        var type = message.Kind == OutgoingKind.Binary ? WebSocketMessageType.Binary : WebSocketMessageType.Text;
        await Sender.SendAsync(message.Data, type, cancellationToken).ConfigureAwait(false);
        return SendOutcome.Sent;
    }

    protected override void Add(MessageArena message, bool isBinary, MessageBatch batch)
    {
        var length = message.PendingLength;
        var (block, start) = message.Commit();
        var traits = isBinary ? MessageTraits.Binary : MessageTraits.None;
        batch.Add(new StreamMessage(block, start, length, 0, StreamMessage.SaysNothingOfIds, eventType: null, traits));
    }

    /// <summary>
    /// Going away, failures of the server and codes of applications may pass; violations, refusals, 3000 and 3003 (the registry of RFC
    /// 6455, 11.7), and 4401 and 4403 (4000 plus an HTTP status) will not.
    /// </summary>
    protected override bool MayPass(int closeCode) =>
        closeCode is 1001 or 1005 or 1006 or (>= 1011 and <= 1014) or (>= 3001 and <= 4999) and not (3003 or 4401 or 4403);

    public override Task PingAsync() => Options.HeartbeatRules.AsJson ? Sender.TrySendAsync(JsonHeartbeat.Ping) : base.PingAsync();
}
