using Perennial.Wire;

namespace Perennial;

/// <summary>The events by which a server that announced Perennial's protocol says what is not payload (docs/protocol.md).</summary>
internal static class ControlEvents
{
    public static StreamSignal Classify(in StreamMessage message) => !message.NamesItsEventType
        ? StreamSignal.None
        : message.EventType switch
        {
            EventNames.Completed => StreamSignal.Completed,
            EventNames.Stopped => StreamSignal.Stopped,
            EventNames.Failed => StreamSignal.Failed,
            EventNames.Gap => StreamSignal.Gap,
            var other when EventNames.IsReserved(other) => StreamSignal.Ignored,
            _ => StreamSignal.None,
        };
}
