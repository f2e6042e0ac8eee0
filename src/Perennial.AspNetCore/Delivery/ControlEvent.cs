using System.Security.Cryptography;
using System.Text.Json;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Delivery;

/// <summary>What the server says about the stream and not in it. It has no id.</summary>
/// <param name="Content">The event as JSON forms carry it.</param>
/// <param name="Retry">How long to stay away when this connection ends; null where it says something else.</param>
internal readonly record struct ControlEvent(RunEvent Content, TimeSpan? Retry = null)
{
    /// <summary>Says that what follows an id cannot be had, and where it goes on.</summary>
    public static ControlEvent Gap(string requested, EventId resumesAt)
    {
        PerennialServerTelemetry.Gaps.Add(1);
        return new(Json(WireNames.GapEvent, JsonSerializer.SerializeToUtf8Bytes(new GapBody(requested, resumesAt.ToString()), WireJson.Default.GapBody)));
    }

    /// <summary>Asks the reader to come back, not all readers at the same moment, to whoever serves the run then.</summary>
    public static ControlEvent ComeBackSoon()
    {
        var delay = TimeSpan.FromMilliseconds(RandomNumberGenerator.GetInt32(1000, 3000));
        var body = new RetryBody((long)delay.TotalMilliseconds);
        return new(Json(WireNames.RetryEvent, JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Default.RetryBody)), delay);
    }

    private static RunEvent Json(string eventType, byte[] data) => new(eventType, data, RunDataKind.Json);
}
