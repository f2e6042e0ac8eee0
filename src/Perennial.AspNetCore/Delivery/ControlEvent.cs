using System.Security.Cryptography;
using Perennial.AspNetCore.Diagnostics;
using Perennial.Wire;

namespace Perennial.AspNetCore.Delivery;

/// <summary>An event about the stream that is no part of it. It has no id.</summary>
/// <param name="Name">The event's name.</param>
/// <param name="Json">Its data.</param>
/// <param name="Retry">How long to stay away when this connection ends; null where the event says something else.</param>
internal readonly record struct ControlEvent(string Name, ReadOnlyMemory<byte> Json, TimeSpan? Retry = null)
{
    /// <summary>Says that what follows an id cannot be had, and where it goes on.</summary>
    public static ControlEvent Gap(string requested, RunEventId resumesAt)
    {
        PerennialServerTelemetry.Gaps.Add(1);
        return new(EventNames.Gap, ControlData.Gap(requested, resumesAt));
    }

    /// <summary>Asks the reader to come back, not all readers at the same moment, to whoever serves the run then.</summary>
    public static ControlEvent ComeBackSoon()
    {
        var delay = TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1000, 3000));
        return new(EventNames.Retry, ControlData.Retry(delay), delay);
    }

    /// <summary>The event in <c>text/event-stream</c>.</summary>
    public byte[] EncodeSse() => Retry is { } delay ? SseFrame.EncodeRetry(delay) : SseFrame.Encode(id: null, Name, Json.Span, PayloadKind.Json);

    /// <summary>The event as a JSON line.</summary>
    public byte[] EncodeLine() => Envelope.EncodeLine(id: null, Name, Json.Span, PayloadKind.Json);
}
