using System.Buffers;
using System.Text.Json;
using Perennial.Wire;

namespace Perennial;

/// <summary>Writes the events that dialects make up.</summary>
internal static class DialectWriter
{
    /// <summary>The end marker of chat completions.</summary>
    public static DialectEvent Done { get; } = new() { Data = ControlData.Done.ToArray() };

    /// <summary>An event whose data is a JSON object.</summary>
    public static DialectEvent Event(string? eventType, Action<Utf8JsonWriter> writeMembers, bool isBare = false)
    {
        var data = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(data, Envelope.Plainly))
        {
            writer.WriteStartObject();
            writeMembers(writer);
            writer.WriteEndObject();
        }

        return new DialectEvent { EventType = eventType, Data = data.WrittenMemory, IsBare = isBare };
    }

    /// <summary>The error object of OpenAI.</summary>
    public static void WriteOpenAIError(Utf8JsonWriter writer, string message, string code)
    {
        writer.WriteStartObject("error"u8);
        writer.WriteString("message"u8, message);
        writer.WriteString("type"u8, "server_error"u8);
        writer.WriteNull("param"u8);
        writer.WriteString("code"u8, code);
        writer.WriteEndObject();
    }

    /// <summary>An event whose data has the member <c>type</c> and nothing else.</summary>
    public static DialectEvent OfType(string type, string? eventType = null) => Event(eventType, writer => writer.WriteString("type"u8, type));
}
