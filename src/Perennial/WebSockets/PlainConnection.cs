using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>A WebSocket without a subprotocol of ours: each message is a message of the stream, without an id.</summary>
/// <param name="upgraded">The upgraded connection.</param>
/// <param name="settings">The settings of the connection.</param>
internal sealed class PlainConnection(Stream upgraded, SocketSettings settings) : WebSocketConnection(upgraded, settings)
{
    private Task _answer = Task.CompletedTask;          // the answer to the last JSON ping

    public override StreamSignal Classify(in StreamMessage message)
    {
        if (Settings.Heartbeat.AsJson && JsonHeartbeat.Recognize(in message) is not JsonHeartbeat.Kind.None and var kind)
        {
            if (kind == JsonHeartbeat.Kind.Ping && _answer.IsCompleted)
            {
                // One answer at a time, however many pings arrive: a peer that does not read the answers must not fill our memory (RFC
                // 6455, section 5.5.3).
                _answer = Sender.TrySendAsync(JsonHeartbeat.Pong);
            }

            return StreamSignal.Ignored;
        }

        return Settings.Options.Classify is { } classify ? classify(in message)
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
        batch.AddWithoutCopy(block.AsMemory(start, length), isBinary);
    }

    /// <summary>
    /// Another attempt may succeed after "going away", after failures of the server and after codes of applications. It cannot after
    /// violations, after refusals, after 3000 and 3003 (the registry of RFC 6455, section 11.7), and after 4401 and 4403 (4000 plus an HTTP
    /// status).
    /// </summary>
    protected override bool MayPass(int closeCode) =>
        closeCode is 1001 or 1005 or 1006 or (>= 1011 and <= 1014) or (>= 3001 and <= 4999) and not (3003 or 4401 or 4403);

    public override Task PingAsync() => Settings.Heartbeat.AsJson ? Sender.TrySendAsync(JsonHeartbeat.Ping) : base.PingAsync();
}
