using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Encodes one event as the envelope that JSON lines and WebSocket messages carry (docs/protocol.md). Pure; ended by LF.</summary>
internal static class JsonLine
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Shows life and dispatches nothing.</summary>
    public static ReadOnlyMemory<byte> Heartbeat { get; } = "{\"type\":\"perennial.heartbeat\"}\n"u8.ToArray();

    /// <summary>Encodes into an array of exactly the right size, because the log keeps it for the life of the run.</summary>
    /// <param name="id">Left out when null, so that a reader's cursor stays where it is.</param>
    /// <param name="content">What to say.</param>
    public static byte[] Encode(EventId? id, RunEvent content)
    {
        var buffer = new ArrayBufferWriter<byte>(content.Data.Length + 96);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            if (id is { } place)
                writer.WriteString("id"u8, place.ToString());
            if (!string.IsNullOrEmpty(content.EventType))
                writer.WriteString("type"u8, content.EventType);
            WriteData(writer, content);
            writer.WriteEndObject();
        }

        buffer.Write("\n"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void WriteData(Utf8JsonWriter writer, RunEvent content)
    {
        var data = content.Data.Span;
        if (content.Kind == RunDataKind.Binary)
        {
            writer.WriteBase64String("binary"u8, data);
        }
        else if (content.Kind == RunDataKind.Json && StandsForItself(data))
        {
            writer.WritePropertyName("data"u8);
            writer.WriteRawValue(data, skipInputValidation: true);
        }
        else
        {
            writer.WriteString("data"u8, data);
        }
    }

    // A reader hands over a value as it is written. A JSON string would lose its quotes, a line break would end the line, and white space
    // around the value would be lost: such a text goes as a JSON string of itself.
    private static bool StandsForItself(ReadOnlySpan<byte> json) =>
        !json.IsEmpty && json[0] > ' ' && json[0] != '"' && json[^1] > ' ' && !json.ContainsAny((byte)'\r', (byte)'\n');
}
