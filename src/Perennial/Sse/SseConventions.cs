using Perennial.Wire;

namespace Perennial.Sse;

/// <summary>What events mean beyond their payload, as servers in the field write it.</summary>
internal static class SseConventions
{
    /// <summary>
    /// The end marker <c>[DONE]</c> of chat completion streams; errors as <c>{"type":"error",…}</c>; and failures, as <c>event: error</c>
    /// with JSON or as <c>{"error":…}</c> alone. An event that merely is called done is an event.
    /// </summary>
    public static StreamSignal Classify(in StreamMessage message) =>
        message.Bytes.SequenceEqual(ControlData.Done) ? StreamSignal.Completed
        : message.NamesItsEventType && message.EventType is "error" && JsonConventions.MayBeJson(message.Bytes) ? StreamSignal.Failed
        : JsonConventions.ClassifyFailures(in message);
}
