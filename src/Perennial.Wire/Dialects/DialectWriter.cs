using System.Buffers;
using System.Text.Json;
using Perennial.Wire;

namespace Perennial;

/// <summary>Writes the events that dialects make up.</summary>
internal static class DialectWriter
{
    private const int InternalError = -32603;      // JSON-RPC 2.0, section 5.1

    /// <summary>The end marker of chat completions.</summary>
    public static DialectEvent Done { get; } = new() { Data = ControlData.Done.ToArray() };

    /// <summary>An event whose data is a JSON object.</summary>
    public static DialectEvent Event(string? eventType, Action<Utf8JsonWriter> writeMembers)
    {
        var data = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(data, Envelope.Plainly))
        {
            writer.WriteStartObject();
            writeMembers(writer);
            writer.WriteEndObject();
        }

        return new DialectEvent { EventType = eventType, Data = data.WrittenMemory };
    }

    /// <summary>An error as the JSON-RPC response to a request.</summary>
    public static DialectEvent JsonRpcError(string? eventType, JsonElement requestId, string message, string code) =>
        Event(eventType, writer =>
        {
            writer.WriteString("jsonrpc"u8, "2.0"u8);
            writer.WritePropertyName("id"u8);
            requestId.WriteTo(writer);
            writer.WriteStartObject("error"u8);
            writer.WriteNumber("code"u8, InternalError);
            writer.WriteString("message"u8, message);
            writer.WriteStartObject("data"u8);
            writer.WriteString("code"u8, code);
            writer.WriteEndObject();
            writer.WriteEndObject();
        });

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
    public static DialectEvent OfType(string type, string? eventType = null) =>
        Event(eventType, writer => writer.WriteString("type"u8, type));
}
