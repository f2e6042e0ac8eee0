using System.Buffers;
using System.Net.WebSockets;
using System.Text.Encodings.Web;
using System.Text.Json;
using Perennial.Engine;

namespace Perennial.WebSockets;

/// <summary>
/// Writes numbered messages over one connection that speaks <c>perennial.v1</c>, one behind the other, while there are any. No task runs
/// while there are none.
/// </summary>
internal sealed class NumberedWriter(NumberedSends numbered, TransportConnection connection, WebSocketSender sender)
{
    private const int LargestKept = 64 * 1024;

    private static readonly JsonWriterOptions Plainly = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

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
        using var writer = new Utf8JsonWriter(_json, Plainly);
        writer.WriteStartObject();
        if (name is { } sender)
        {
            Write(writer, sender);
        }
        else
        {
            Write(writer, send!);
        }

        writer.WriteEndObject();
        writer.Flush();
        return _json.WrittenMemory;
    }

    private static void Write(Utf8JsonWriter writer, SenderName name)
    {
        writer.WriteString("type"u8, "perennial.sender"u8);
        writer.WriteStartObject("data"u8);
        writer.WriteString("id"u8, name.Id);
        writer.WriteNumber("next"u8, name.Next);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, NumberedSend send)
    {
        var data = send.Message.Data.Span;
        writer.WriteString("type"u8, "perennial.send"u8);
        writer.WriteNumber("number"u8, send.Number);
        switch (send.Message.Kind)
        {
            case OutgoingKind.Binary:
                writer.WriteBase64String("binary"u8, data);
                break;
            // A string would be taken for the text it stands for.
            case OutgoingKind.Json when data is not [(byte)'"', ..]:
                writer.WritePropertyName("data"u8);
                writer.WriteRawValue(data, skipInputValidation: true);
                break;
            default:
                writer.WriteString("data"u8, data);
                break;
        }
    }
}
