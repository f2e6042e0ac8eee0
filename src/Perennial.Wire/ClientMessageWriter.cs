using System.Buffers;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>Writes what a client says in <c>perennial.v1</c>. <see cref="ClientMessage"/> reads it. Pure.</summary>
internal static class ClientMessageWriter
{
    /// <summary>The type of the message by which a client names itself.</summary>
    public static ReadOnlySpan<byte> Sender => "perennial.sender"u8;

    /// <summary>The type of a numbered message to the producer.</summary>
    public static ReadOnlySpan<byte> Send => "perennial.send"u8;

    /// <summary>The type of a request to stop.</summary>
    public static ReadOnlySpan<byte> Stop => "perennial.stop"u8;

    /// <summary>The request to stop.</summary>
    public static ReadOnlyMemory<byte> StopRequest { get; } = """{"type":"perennial.stop"}"""u8.ToArray();

    /// <summary>Names the client.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="id">The name: 128 random bits in base64url.</param>
    /// <param name="next">The lowest number that has no answer.</param>
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

    /// <summary>Sends a message.</summary>
    /// <param name="output">Where to write.</param>
    /// <param name="number">The message's number among those of this client, from 1.</param>
    /// <param name="data">The payload.</param>
    /// <param name="kind">What the payload is.</param>
    public static void WriteSend(IBufferWriter<byte> output, long number, ReadOnlySpan<byte> data, PayloadKind kind)
    {
        using var writer = new Utf8JsonWriter(output, Envelope.Plainly);
        writer.WriteStartObject();
        writer.WriteString("type"u8, Send);         // type and number come first, so that the server finds them in a message it does not take
        writer.WriteNumber("number"u8, number);
        switch (kind)
        {
            case PayloadKind.Binary:
                writer.WriteBase64String("binary"u8, data);
                break;
            // A string would be taken for the text it stands for.
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
