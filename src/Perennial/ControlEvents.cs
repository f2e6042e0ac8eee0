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
}
