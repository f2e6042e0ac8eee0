using System.Text.Json;

namespace Perennial.Sse;

/// <summary>What messages mean beyond their payload over SSE: Perennial's own control events, and what other servers do.</summary>
internal static class SseConventions
{
    /// <summary>Control events of a server that announced Perennial's protocol (docs/protocol.md).</summary>
    public static StreamSignal ClassifyControl(in StreamMessage message) => !message.NamesItsEventType
        ? StreamSignal.None
        : message.EventType switch
        {
            "perennial.completed" => StreamSignal.Completed,
            "perennial.stopped" => StreamSignal.Stopped,
            "perennial.failed" => StreamSignal.Failed,
            "perennial.gap" => StreamSignal.Gap,
            var other when other.StartsWith("perennial.", StringComparison.Ordinal) => StreamSignal.Ignored,
            _ => StreamSignal.None,
        };

    /// <summary>
    /// The end marker <c>[DONE]</c> of chat completion streams, and errors. An event that merely is called done is an event.
    /// </summary>
    public static StreamSignal Classify(in StreamMessage message) =>
        message.Data.Span.SequenceEqual("[DONE]"u8) ? StreamSignal.Completed : ClassifyErrors(in message);

    /// <summary>
    /// Errors alone, as <c>{"type":"error",…}</c>: for a server that marks the end by a control event, where <c>[DONE]</c> is somebody's data.
    /// </summary>
    public static StreamSignal ClassifyErrors(in StreamMessage message)
    {
        var data = message.Data.Span;
        return data is [(byte)'{', ..] && data.IndexOf("\"error\""u8) >= 0 && IsError(data) ? StreamSignal.Error : StreamSignal.None;
    }

    private static bool IsError(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                reader.Read();
                if (isType)
                {
                    return reader.TokenType == JsonTokenType.String && reader.ValueTextEquals("error"u8);
                }

                reader.Skip();
            }

            return false;
        }
        // Half a surrogate pair is valid JSON, but no string: comparing it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }
    }
}
