using System.Text.Json;

namespace Perennial.WebSockets;

/// <summary>Heartbeats as messages, for servers that support no others: <c>{"type":"ping"}</c> and <c>{"type":"pong"}</c>.</summary>
internal static class JsonHeartbeat
{
    private const int Longest = 256;

    public enum Kind
    {
        None,
        Ping,
        Pong,
    }

    public static ReadOnlyMemory<byte> Ping { get; } = """{"type":"ping"}"""u8.ToArray();

    public static ReadOnlyMemory<byte> Pong { get; } = """{"type":"pong"}"""u8.ToArray();

    public static Kind Recognize(in StreamMessage message)
    {
        var json = message.Bytes;
        if (message.IsBinary || json.Length > Longest || json is not [(byte)'{', ..])
        {
            return Kind.None;
        }

        try
        {
            using var document = JsonDocument.Parse(message.Data);
            return !document.RootElement.TryGetProperty("type"u8, out var type) || type.ValueKind != JsonValueKind.String ? Kind.None
                : type.ValueEquals("ping"u8) ? Kind.Ping
                : type.ValueEquals("pong"u8) ? Kind.Pong
                : Kind.None;
        }
        // Half a surrogate pair is valid JSON, but no string: comparing it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return Kind.None;
        }
    }
}
