using System.Globalization;

namespace Perennial.Wire;

/// <summary>The header fields of Perennial's protocol, and the values that are fixed or a number (docs/protocol.md).</summary>
internal static class WireHeaders
{
    /// <summary>The id of the last event that the reader received (HTML standard, section 9.2.4).</summary>
    public const string LastEventId = "Last-Event-ID";

    /// <summary>The query parameter that replaces <see cref="LastEventId"/> if a reader cannot set headers.</summary>
    public const string LastEventIdQuery = "lastEventId";

    /// <summary>
    /// Announces the protocol. In a response: the stream has ended only if an end event announces it. In a request: the client understands
    /// the end events. The value is <see cref="Version"/>.
    /// </summary>
    public const string Protocol = "Perennial-Protocol";

    /// <summary>The value of <see cref="Protocol"/>.</summary>
    public const string Version = "1";

    /// <summary>The WebSocket subprotocol.</summary>
    public const string SubProtocol = "perennial.v1";

    /// <summary>The longest time, in seconds, in which the server sends nothing.</summary>
    public const string Heartbeat = "Perennial-Heartbeat";

    /// <summary>The id of the event after which the stream continues.</summary>
    public const string Cursor = "Perennial-Cursor";

    /// <summary>The id of the newest event.</summary>
    public const string Tail = "Perennial-Tail";

    /// <summary>The state of the run: one of <see cref="StatusNames"/>.</summary>
    public const string Status = "Perennial-Status";

    /// <summary>
    /// Announces, in every response of an endpoint, that requests with the same <c>Idempotency-Key</c>, credentials and body start only one
    /// stream. The value is <see cref="Once"/>.
    /// </summary>
    public const string Starts = "Perennial-Starts";

    /// <summary>The value of <see cref="Starts"/>.</summary>
    public const string Once = "once";

    /// <summary>The value of <see cref="Heartbeat"/> for an interval: seconds, with at most three decimals.</summary>
    public static string FormatHeartbeat(TimeSpan interval) => interval.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);

    /// <summary>Reads the value of <see cref="Heartbeat"/>. Returns null if it is not a number of seconds in range.</summary>
    public static TimeSpan? ParseHeartbeat(string value) =>
        double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) ? HeartbeatOf(seconds) : null;

    /// <summary>Converts seconds to an interval. Returns <see langword="null"/> unless they are above 0 and less than one day.</summary>
    public static TimeSpan? HeartbeatOf(double seconds) => seconds is > 0 and < 86_400 ? TimeSpan.FromSeconds(seconds) : null;
}
