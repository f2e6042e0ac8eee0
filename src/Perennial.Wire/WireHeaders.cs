using System.Globalization;

namespace Perennial.Wire;

/// <summary>The header fields of Perennial's protocol, their fixed values, and the format of those that hold a number (docs/protocol.md).</summary>
internal static class WireHeaders
{
    /// <summary>The id of the last event that the reader has (HTML standard, section 9.2.4).</summary>
    public const string LastEventId = "Last-Event-ID";

    /// <summary>The query parameter that stands for <see cref="LastEventId"/> where a reader cannot set headers.</summary>
    public const string LastEventIdQuery = "lastEventId";

    /// <summary>
    /// Announces the protocol. In a response: the stream has ended only if an end event says so. In a request: the client knows the end
    /// events. The value is <see cref="Version"/>.
    /// </summary>
    public const string Protocol = "Perennial-Protocol";

    /// <summary>The value of <see cref="Protocol"/>.</summary>
    public const string Version = "1";

    /// <summary>The WebSocket subprotocol.</summary>
    public const string SubProtocol = "perennial.v1";

    /// <summary>The longest time in seconds for which the server sends nothing.</summary>
    public const string Heartbeat = "Perennial-Heartbeat";

    /// <summary>The id of the event after which the stream goes on.</summary>
    public const string Cursor = "Perennial-Cursor";

    /// <summary>The id of the newest event.</summary>
    public const string Tail = "Perennial-Tail";

    /// <summary>The state of the run: one of <see cref="StatusNames"/>.</summary>
    public const string Status = "Perennial-Status";

    /// <summary>
    /// Announces, on every answer of an endpoint, that requests with the same <c>Idempotency-Key</c>, credentials and body start one stream.
    /// The value is <see cref="Once"/>.
    /// </summary>
    public const string Starts = "Perennial-Starts";

    /// <summary>The value of <see cref="Starts"/>.</summary>
    public const string Once = "once";

    /// <summary>The value of <see cref="Heartbeat"/> for an interval: seconds, with at most three decimals.</summary>
    public static string FormatHeartbeat(TimeSpan interval) => interval.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>Reads the value of <see cref="Heartbeat"/>. Returns <see langword="null"/> if it is no number of seconds in range.</summary>
    public static TimeSpan? ParseHeartbeat(string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) ? HeartbeatOf(seconds) : null;

    /// <summary>The interval for a number of seconds. Returns <see langword="null"/> if it is not positive, or a day or more.</summary>
    public static TimeSpan? HeartbeatOf(double seconds) => seconds is > 0 and < 86_400 ? TimeSpan.FromSeconds(seconds) : null;
}
