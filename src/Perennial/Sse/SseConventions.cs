using Perennial.Wire;

namespace Perennial.Sse;

/// <summary>The conventions for events that mean more than their payload, as common servers use them.</summary>
internal static class SseConventions
{
    /// <summary>
    /// Recognizes the end marker <c>[DONE]</c> of chat completion streams; errors as <c>{"type":"error",…}</c>; and failures as <c>event:
    /// error</c> with JSON or as <c>{"error":…}</c> alone. An event whose type is "done" has no special meaning.
    /// </summary>
    public static StreamSignal Classify(in StreamMessage message) =>
        message.Bytes.SequenceEqual(ControlData.Done) ? StreamSignal.Completed
        : message.NamesItsEventType && message.EventType is "error" && JsonConventions.MayBeJson(message.Bytes) ? StreamSignal.Failed
        : JsonConventions.ClassifyErrors(in message);
}
