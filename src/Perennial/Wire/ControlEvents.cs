using Perennial.Wire;

namespace Perennial;

/// <summary>Recognizes the control events of a server that announced Perennial's protocol (docs/protocol.md).</summary>
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
