using System.Security.Cryptography;
using Perennial.AspNetCore.Diagnostics;
using Perennial.Wire;

namespace Perennial.AspNetCore.Delivery;

/// <summary>An event of the protocol that is not part of the run. It has no id.</summary>
/// <param name="Name">The event's name.</param>
/// <param name="Json">Its data.</param>
/// <param name="Retry">The delay before a reconnect; null for other events.</param>
internal readonly record struct ControlEvent(string Name, ReadOnlyMemory<byte> Json, TimeSpan? Retry = null)
{
    /// <summary>Creates the gap event: the requested id, and the id with which the run goes on.</summary>
    public static ControlEvent Gap(string requested, RunEventId resumesAt)
    {
        PerennialServerTelemetry.Gaps.Add(1);
        return new(EventNames.Gap, ControlData.Gap(requested, resumesAt));
    }

    /// <summary>
    /// Creates the event that makes the reader reconnect after a random delay, so that readers do not reconnect at the same moment.
    /// </summary>
    public static ControlEvent ComeBackSoon()
    {
        var delay = TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1000, 3000));
        return new(EventNames.Retry, ControlData.Retry(delay), delay);
    }

    /// <summary>The event in <c>text/event-stream</c>.</summary>
    public byte[] EncodeSse() =>
        Retry is { } delay ? SseFrame.EncodeRetry(delay) : SseFrame.Encode(id: null, Name, Json.Span, PayloadKind.Json);

    /// <summary>The event as a JSON line.</summary>
    public byte[] EncodeLine() => Envelope.EncodeLine(id: null, Name, Json.Span, PayloadKind.Json);
}
