using System.Buffers;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>Writes the messages of a client in <c>perennial.v1</c>. <see cref="ClientMessage"/> reads them. Pure.</summary>
internal static class ClientMessageWriter
{
    /// <summary>The type of the message with which a client identifies itself.</summary>
    public static ReadOnlySpan<byte> Sender => "perennial.sender"u8;

    /// <summary>The type of a numbered message to the producer.</summary>
    public static ReadOnlySpan<byte> Send => "perennial.send"u8;

    /// <summary>The type of a request to stop.</summary>
    public static ReadOnlySpan<byte> Stop => "perennial.stop"u8;

    /// <summary>The complete message that requests a stop.</summary>
    public static ReadOnlyMemory<byte> StopRequest { get; } = """{"type":"perennial.stop"}"""u8.ToArray();

    /// <summary>Writes the message that identifies the client.</summary>
    /// <param name="output">The destination.</param>
    /// <param name="id">The client's id: 128 random bits in base64url.</param>
    /// <param name="next">The lowest number without an answer.</param>
    public static void WriteSender(IBufferWriter<byte> output, string id, long next)
    {
        using var writer = new Utf8JsonWriter(output, Envelope.Plainly);
        writer.WriteStartObject();
        writer.WriteString("type"u8, Sender);
        writer.WriteStartObject("data"u8);
        writer.WriteString("id"u8, id);
        writer.WriteNumber("next"u8, next);
        writer.WriteEndObject();
        writer.WriteEndObject();
    }

    /// <summary>Writes a numbered message.</summary>
    /// <param name="output">The destination.</param>
    /// <param name="number">The message's number. Each client counts its messages from 1.</param>
    /// <param name="data">The payload.</param>
    /// <param name="kind">The kind of the payload.</param>
    public static void WriteSend(IBufferWriter<byte> output, long number, ReadOnlySpan<byte> data, PayloadKind kind)
    {
        using var writer = new Utf8JsonWriter(output, Envelope.Plainly);
        writer.WriteStartObject();
        writer.WriteString("type"u8, Send);         // first, so that the server finds it in a message that is too large
        writer.WriteNumber("number"u8, number);
        switch (kind)
        {
            case PayloadKind.Binary:
                writer.WriteBase64String("binary"u8, data);
                break;
            // The server would read a JSON string as the text that it stands for, so it goes as a string of itself.
            case PayloadKind.Json when data is not [(byte)'"', ..]:
                writer.WritePropertyName("data"u8);
                writer.WriteRawValue(data, skipInputValidation: true);
                break;
            default:
                writer.WriteString("data"u8, data);
                break;
        }

        writer.WriteEndObject();
    }
}
