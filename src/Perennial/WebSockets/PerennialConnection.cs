using System.Buffers;
using System.Net.WebSockets;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>
/// A socket with the subprotocol <c>perennial.v1</c> (docs/protocol.md): numbered events in envelopes, numbered sends, and events about
/// the connection, which this class handles.
/// </summary>
internal sealed class PerennialConnection : WebSocketConnection
{
    private const int LargestKept = 64 * 1024;

    private readonly StopRequest _stop;
    private readonly MessageClassifier _classify;
    private ArrayBufferWriter<byte>? _json;             // reused for each message, while some messages have no answer
    private long _lastWritten;
    private TimeSpan? _heartbeat;

    public PerennialConnection(Stream upgraded, SocketSettings settings, TimeSpan? heartbeat)
        : base(upgraded, settings)
    {
        _heartbeat = heartbeat;
        _stop = new StopRequest(Sender, settings.Options.ConnectTimeout, settings.Time);
        _classify = settings.Options.Classify ?? JsonConventions.ClassifyPassingErrors;
    }

    public override bool AlwaysMarksEnd => true;

    public override TimeSpan? LongestSilence => _heartbeat * 3 ?? base.LongestSilence;

    public override bool NumbersSends => true;

    /// <summary>The longest value that System.Text.Json writes as one string, even if every character is escaped.</summary>
    public override int MaxSendBytes => 100_000_000;

    public override StreamSignal Classify(in StreamMessage message)
    {
        var control = ControlEvents.Classify(in message);
        return control == StreamSignal.None ? _classify(in message) : control;
    }

    public override async ValueTask StopAsync(CancellationToken cancellationToken) =>
        await _stop.SendAndWaitAsync(cancellationToken).ConfigureAwait(false);

    public override async ValueTask DisposeAsync()
    {
        _stop.ConnectionLost();
        await base.DisposeAsync().ConfigureAwait(false);
    }

    public override ValueTask WriteSenderAsync(string sender, long firstNumber, CancellationToken cancellationToken)
    {
        var json = TakeBuffer();
        ClientMessageWriter.WriteSender(json, sender, firstNumber);
        return WriteAsync(json, cancellationToken);
    }

    public override ValueTask WriteNumberedAsync(OutgoingMessage message, long number, CancellationToken cancellationToken)
    {
        var json = TakeBuffer();
        Volatile.Write(ref _lastWritten, number);
        ClientMessageWriter.WriteSend(json, number, message.Data.Span, KindOf(message));
        return WriteAsync(json, cancellationToken);
    }

    protected override void Add(MessageArena message, bool isBinary, MessageBatch batch)
    {
        if (isBinary)
        {
            ChosenCloseStatus = WebSocketCloseStatus.InvalidMessageType;
            throw new TransportException(
                TransportErrorCode.ProtocolViolation, "The server sent a binary message, which perennial.v1 does not allow.");
        }

        var before = batch.Count;
        if (!MessageEnvelope.TryOpen(message.Pending, batch, out _))
        {
            batch.AddMalformed(message.Pending);
        }
        else if (batch.Count > before && ReadSide(in batch.Messages[before]) is { } side)
        {
            batch.RemoveLast();
            if (!TryTake(side))
            {
                batch.AddMalformed(message.Pending);
            }
        }
        else if (batch.Count > before && IsEnd(in batch.Messages[before]))
        {
            _stop.Answered();
        }

        message.Discard();
    }

    protected override bool MayPass(int closeCode) => CloseCodes.MayPass(closeCode);

    private static bool IsEnd(in StreamMessage message) =>
        ControlEvents.Classify(in message) is StreamSignal.Completed or StreamSignal.Stopped or StreamSignal.Failed;

    private static SideEvent? ReadSide(in StreamMessage message) =>
        message.NamesItsEventType && SideEvent.KindOf(message.EventType) is { } kind ? SideEvent.Read(kind, message.Data) : null;

    /// <summary>Converts a refusal to an error. The server's text is payload and is not part of the error's message.</summary>
    private static TransportException ToError(SideEvent refusal, string sentence) => new(TransportErrorCode.SendRejected, sentence)
    {
        Delivery = refusal.IsOfStop ? null : DeliveryStatus.NotSent,
        ServerCode = refusal.Code,
        ServerMessage = refusal.Message,
    };

    /// <summary>Handles an event about the connection. Returns false if it does not conform to docs/protocol.md.</summary>
    private bool TryTake(SideEvent side)
    {
        switch (side)
        {
            case { Kind: SideEventKind.Hello }:
                if (side.Heartbeat is { } heartbeat)
                {
                    _heartbeat = heartbeat;
                    ReportLongestSilence(heartbeat * 3);
                }

                return true;
            case { Kind: SideEventKind.Acknowledged, Number: { } received }:
                Answer(() => ReportAcknowledged(received));
                if (received >= Volatile.Read(ref _lastWritten))
                {
                    _json = null;
                }

                return true;
            case { Kind: SideEventKind.Refused, Number: { } number }:
                Answer(() => ReportRefused(number, ToError(side, "The server refused the message.")));
                return true;
            case { Kind: SideEventKind.Refused, IsOfStop: true }:
                _stop.Refused(ToError(side, "The server refused to stop."));
                return true;
            default:
                return false;
        }
    }

    /// <summary>Returns the buffer for the next message. One message is written at a time.</summary>
    private ArrayBufferWriter<byte> TakeBuffer()
    {
        var json = Interlocked.Exchange(ref _json, null) ?? new ArrayBufferWriter<byte>();
        json.ResetWrittenCount();
        return json;
    }

    private async ValueTask WriteAsync(ArrayBufferWriter<byte> json, CancellationToken cancellationToken)
    {
        await Sender.SendAsync(json.WrittenMemory, WebSocketMessageType.Text, cancellationToken).ConfigureAwait(false);
        _json = json.Capacity <= LargestKept ? json : null;
    }

    private static PayloadKind KindOf(OutgoingMessage message) => message.Kind switch
    {
        OutgoingKind.Binary => PayloadKind.Binary,
        OutgoingKind.Json => PayloadKind.Json,
        _ => PayloadKind.Text,
    };

    private void Answer(Action act)
    {
        try
        {
            act();
        }
        catch (TransportException)
        {
            ChosenCloseStatus = WebSocketCloseStatus.ProtocolError;
            throw;
        }
    }
}
