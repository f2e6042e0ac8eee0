using System.Buffers;
using System.Text.Json;

namespace Perennial.Requests;

/// <summary>Writes and reads JSON-RPC 2.0 calls, as <see cref="RequestConvention.JsonRpc"/> describes them.</summary>
internal static class JsonRpcConvention
{
    public static ReadOnlyMemory<byte> Write(string method, string id, ReadOnlySpan<byte> value)
    {
        var (kind, _) = RequestJson.Inspect(value, default);
        if (kind is not (JsonTokenType.StartObject or JsonTokenType.StartArray or JsonTokenType.Null))
        {
            throw new ArgumentException(
                "The params of a call must be a JSON object or an array, or null for none (JSON-RPC 2.0, 4.2).", nameof(value));
        }

        var message = new ArrayBufferWriter<byte>(value.Length + 100);
        using var writer = new Utf8JsonWriter(message, new JsonWriterOptions { SkipValidation = true });
        writer.WriteStartObject();
        writer.WriteString("jsonrpc"u8, "2.0"u8);
        writer.WriteString("id"u8, id);
        writer.WriteString("method"u8, method);
        if (kind != JsonTokenType.Null)
        {
            writer.WritePropertyName("params"u8);
            writer.WriteRawValue(value, skipInputValidation: true);
        }

        writer.WriteEndObject();
        writer.Flush();
        return message.WrittenMemory;
    }

    /// <summary>
    /// Reads a response. It has a result or an error (JSON-RPC 2.0, section 5). Peers of version 1.0 send both, one of them null. A message
    /// with a method is a call by the server, not a response.
    /// </summary>
    public static bool Read(in StreamMessage message, out ReplyContent reply) => RequestJson.Read(message, TryReadMembers, out reply);

    private static bool TryReadMembers(ref Utf8JsonReader reader, ReadOnlyMemory<byte> message, out ReplyContent reply)
    {
        string? id = null;
        RequestError? error = null;
        ReadOnlyMemory<byte>? result = null;
        var isCall = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isId = reader.ValueTextEquals("id"u8);
            var isResult = reader.ValueTextEquals("result"u8);
            var isError = reader.ValueTextEquals("error"u8);
            isCall |= reader.ValueTextEquals("method"u8);
            reader.Read();
            var start = (int)reader.TokenStartIndex;
            id = isId && reader.TokenType == JsonTokenType.String ? reader.GetString() : id;
            error = isError ? RequestJson.Error(ref reader) : error;
            reader.Skip();
            result = isResult ? message[start..(int)reader.BytesConsumed] : result;
        }

        reply = new ReplyContent { Id = id ?? "", Data = result ?? default, IsLast = true, Error = error };
        return id is not null && !isCall && (result is not null || error is not null) && !reader.Read();
    }
}
