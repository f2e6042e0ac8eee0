using Perennial.Wire;

namespace Perennial.Http;

/// <summary>Reads header fields of responses: those of Perennial's protocol (<see cref="WireHeaders"/>), and the media type.</summary>
internal static class ProtocolHeaders
{
    /// <summary>Whether the server announced that repeating the request with its key does not start a second stream.</summary>
    public static bool AnnouncesStartsOnce(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Starts, out var value) && value.ToString() is WireHeaders.Once;

    /// <summary>Whether the server announced the protocol.</summary>
    public static bool SpeaksPerennial(HttpResponseMessage response) => response.Headers.NonValidated.Contains(WireHeaders.Protocol);

    /// <summary>
    /// The media type without its parameters. <see langword="null"/> if there is none. Reads the raw header, because a parsed header would
    /// stay in memory as long as the stream.
    /// </summary>
    public static string? MediaType(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values)
            ? values.ToString().Split(';', 2)[0].Trim()
            : null;

    /// <summary>
    /// Whether the content type does not determine the format: it is missing, or text/plain, or application/octet-stream.
    /// </summary>
    public static bool IsUntyped(HttpResponseMessage response) =>
        MediaType(response)?.ToLowerInvariant() is null or "" or "text/plain" or "application/octet-stream";

    /// <summary>The state of the run. <see langword="null"/> if the server does not send it.</summary>
    public static string? Status(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Status, out var status) ? status.ToString() : null;

    /// <summary>The longest time in which the server sends nothing. <see langword="null"/> if the server does not announce it.</summary>
    public static TimeSpan? Heartbeat(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Heartbeat, out var values)
            ? WireHeaders.ParseHeartbeat(values.ToString())
            : null;
}
