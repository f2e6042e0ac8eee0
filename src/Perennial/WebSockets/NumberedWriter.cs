using System.Buffers;
using System.Net.WebSockets;
using Perennial.Engine;
using Perennial.Wire;

namespace Perennial.WebSockets;

/// <summary>
/// Writes numbered messages over one connection that speaks <c>perennial.v1</c>, one behind the other, while there are any. No task runs
/// while there are none.
/// </summary>
internal sealed class NumberedWriter(NumberedSends numbered, TransportConnection connection, WebSocketSender sender)
{
    private const int LargestKept = 64 * 1024;

    private readonly Lock _gate = new();
    private ArrayBufferWriter<byte>? _json;
    private bool _isWriting;
    private bool _isAskedAgain;

    /// <summary>There may be something to write.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            _isAskedAgain = true;
            if (_isWriting)
            {
                return;
            }

            _isWriting = true;
        }

        _ = DetachedTask.Run(WriteAsync);
    }

    private async Task WriteAsync()
    {
        try
        {
            while (GoesOn())
            {
                while (TryEncodeNext() is { } json)
                {
                    await sender.SendAsync(json, WebSocketMessageType.Text, CancellationToken.None).ConfigureAwait(false);
                }
            }
        }
        catch (TransportException)
        {
            // The reader finds out by itself. What has no answer is written again on the next connection; nothing more on this one.
        }
    }

    private bool GoesOn()
    {
        lock (_gate)
        {
            _isWriting = _isAskedAgain;
            _isAskedAgain = false;
            return _isWriting;
        }
    }

    private ReadOnlyMemory<byte>? TryEncodeNext()
    {
        var (name, send) = numbered.Next(connection);
        if (name is null && send is null)
        {
            _json = null;
            return null;
        }

        _json = _json is { Capacity: <= LargestKept } kept ? kept : new ArrayBufferWriter<byte>();
        _json.ResetWrittenCount();
        if (name is { } sender)
        {
            ClientMessageWriter.WriteSender(_json, sender.Id, sender.Next);
        }
        else
        {
            ClientMessageWriter.WriteSend(_json, send!.Number, send.Message.Data.Span, KindOf(send.Message));
        }

        return _json.WrittenMemory;
    }

    private static PayloadKind KindOf(OutgoingMessage message) => message.Kind switch
    {
        OutgoingKind.Binary => PayloadKind.Binary,
        OutgoingKind.Json => PayloadKind.Json,
        _ => PayloadKind.Text,
    };
}
