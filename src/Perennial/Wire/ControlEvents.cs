using System.Text.Json;

namespace Perennial;

/// <summary>The events by which a server that announced Perennial's protocol says what is not payload (docs/protocol.md).</summary>
internal static class ControlEvents
{
    public static StreamSignal Classify(in StreamMessage message) => !message.NamesItsEventType
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

    /// <summary>The delay of <c>perennial.retry</c>: <c>{"delay":1500}</c>, in milliseconds; <see langword="null"/> where it says none.</summary>
    public static TimeSpan? RetryDelay(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isDelay = reader.ValueTextEquals("delay"u8);
                reader.Read();
                if (isDelay)
                {
                    return reader.TokenType == JsonTokenType.Number && reader.TryGetDouble(out var delay) && delay >= 0
                        ? TimeSpan.FromMilliseconds(Math.Min(delay, int.MaxValue))
                        : null;
                }

                reader.Skip();
            }
        }
        catch (JsonException)
        {
            // It says none.
        }

        return null;
    }
}
