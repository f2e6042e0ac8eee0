using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// Writes one event as the envelope that JSON lines and WebSocket messages carry: <c>{"id":"…","type":"…","data":…}</c>, or
/// <c>"binary":"base64"</c> in place of <c>data</c> (docs/protocol.md). <see cref="EnvelopeReader"/> reads it. Pure.
/// </summary>
internal static class Envelope
{
    /// <summary>Options for writing the protocol's messages: a character is escaped only where JSON requires it.</summary>
    public static JsonWriterOptions Plainly { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>A heartbeat line. It proves that the connection is alive and dispatches no event.</summary>
    public static ReadOnlyMemory<byte> HeartbeatLine { get; } = Encoding.ASCII.GetBytes($$"""{"type":"{{EventNames.Heartbeat}}"}""" + "\n");

    /// <summary>
    /// Encodes one line including its LF. The array has exactly the right size, because a log keeps it for the life of the run.
    /// </summary>
    /// <param name="id">The event's id. <see langword="null"/> omits it, so that the reader's cursor stays where it is.</param>
    /// <param name="eventType">The event's name. <see langword="null"/> or empty omits it.</param>
    /// <param name="data">The payload.</param>
    /// <param name="kind">The kind of the payload.</param>
    public static byte[] EncodeLine(RunEventId? id, string? eventType, ReadOnlySpan<byte> data, PayloadKind kind)
    {
        var buffer = new ArrayBufferWriter<byte>(data.Length + 96);
        using (var writer = new Utf8JsonWriter(buffer, Plainly))
        {
            writer.WriteStartObject();
            if (id is { } place)
            {
                writer.WriteString("id"u8, place.ToString());
            }

            if (!string.IsNullOrEmpty(eventType))
            {
                writer.WriteString("type"u8, eventType);
            }

            WriteData(writer, data, kind);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    /// <summary>The envelope without the LF that ends its line, as a WebSocket message carries it.</summary>
    public static ReadOnlyMemory<byte> WithoutLineEnd(ReadOnlyMemory<byte> line) => line[..^1];

    private static void WriteData(Utf8JsonWriter writer, ReadOnlySpan<byte> data, PayloadKind kind)
    {
        if (kind == PayloadKind.Binary)
        {
            writer.WriteBase64String("binary"u8, data);
        }
        else if (kind == PayloadKind.Json && StandsForItself(data))
        {
            writer.WritePropertyName("data"u8);
            writer.WriteRawValue(data, skipInputValidation: true);
        }
        else
        {
            writer.WriteString("data"u8, data);
        }
    }

    // A reader gets a JSON value exactly as it is written. A JSON string would lose its quotes, a line break would end the line, and white
    // space around the value would be lost: such a text is written as a JSON string that contains it.
    private static bool StandsForItself(ReadOnlySpan<byte> json) =>
        !json.IsEmpty && json[0] > ' ' && json[0] != '"' && json[^1] > ' ' && !json.ContainsAny((byte)'\r', (byte)'\n');
}
