using System.Globalization;

namespace Perennial.Http;

/// <summary>The header fields by which a server that speaks Perennial's protocol says so, and how a stream stands (docs/protocol.md).</summary>
internal static class ProtocolHeaders
{
    /// <summary>The WebSocket subprotocol of servers that speak the protocol.</summary>
    public const string SubProtocol = "perennial.v1";

    /// <summary>
    /// The header by which a server announces the protocol, and a client that it knows the events which end a stream. Its value is
    /// <see cref="Version"/>.
    /// </summary>
    public const string Protocol = "Perennial-Protocol";

    /// <summary>The value of <see cref="Protocol"/>.</summary>
    public const string Version = "1";

    /// <summary>
    /// The header by which an endpoint announces, on every answer, that it starts a stream once for the same <c>Idempotency-Key</c>,
    /// credentials and body. Its value is <see cref="Once"/>.
    /// </summary>
    public const string StartsOnce = "Perennial-Starts";

    /// <summary>The value of <see cref="StartsOnce"/>.</summary>
    public const string Once = "once";

    /// <summary>Whether the server announced that repeating the request with its key starts nothing a second time.</summary>
    public static bool AnnouncesStartsOnce(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues(StartsOnce, out var value) && value.ToString() is Once;

    /// <summary>Whether the server announced the protocol.</summary>
    public static bool SpeaksPerennial(HttpResponseMessage response) => response.Headers.NonValidated.Contains(Protocol);

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
        response.Headers.NonValidated.TryGetValues("Perennial-Status", out var status) ? status.ToString() : null;

    /// <summary>How often the server gives a sign of life at least, or <see langword="null"/> where it does not say.</summary>
    public static TimeSpan? Heartbeat(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Perennial-Heartbeat", out var values)
        && double.TryParse(values.ToString(), CultureInfo.InvariantCulture, out var seconds)
            ? Heartbeat(seconds)
            : null;

    /// <summary>The same, where it was said in another way.</summary>
    public static TimeSpan? Heartbeat(double seconds) => seconds is > 0 and < 86_400 ? TimeSpan.FromSeconds(seconds) : null;
}
