using Perennial.Wire;

namespace Perennial.Http;

/// <summary>Reads the header fields of responses: those of Perennial's protocol (<see cref="WireHeaders"/>), and the media type.</summary>
internal static class ProtocolHeaders
{
    /// <summary>Whether the server announced that repeating the request with its key starts nothing a second time.</summary>
    public static bool AnnouncesStartsOnce(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Starts, out var value) && value.ToString() is WireHeaders.Once;

    /// <summary>Whether the server announced the protocol.</summary>
    public static bool SpeaksPerennial(HttpResponseMessage response) => response.Headers.NonValidated.Contains(WireHeaders.Protocol);

    /// <summary>The media type of a response without its parameters, or <see langword="null"/>. Read as it came: the typed header would be kept, parsed, as long as the stream.</summary>
    public static string? MediaType(HttpResponseMessage response) =>
        response.Content.Headers.NonValidated.TryGetValues("Content-Type", out var values)
            ? values.ToString().Split(';', 2)[0].Trim()
            : null;

    /// <summary>Whether the content type does not tell the format of a body: there is none, or text/plain, or application/octet-stream.</summary>
    public static bool IsUntyped(HttpResponseMessage response) =>
        MediaType(response)?.ToLowerInvariant() is null or "" or "text/plain" or "application/octet-stream";

    /// <summary>How the stream stands, or <see langword="null"/> where the server does not say.</summary>
    public static string? Status(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Status, out var status) ? status.ToString() : null;

    /// <summary>How often the server gives a sign of life at least, or <see langword="null"/> where it does not say.</summary>
    public static TimeSpan? Heartbeat(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(WireHeaders.Heartbeat, out var values) ? WireHeaders.ParseHeartbeat(values.ToString()) : null;
}
