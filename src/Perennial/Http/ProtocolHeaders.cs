namespace Perennial.Http;

/// <summary>The header fields by which a server that speaks Perennial's protocol says so, and how a stream stands (docs/protocol.md).</summary>
internal static class ProtocolHeaders
{
    /// <summary>Whether the server announced the protocol.</summary>
    public static bool SpeaksPerennial(HttpResponseMessage response) => response.Headers.NonValidated.Contains("Perennial-Protocol");

    /// <summary>How the stream stands, or <see langword="null"/> where the server does not say.</summary>
    public static string? Status(HttpResponseMessage response) =>
        response.Headers.NonValidated.TryGetValues("Perennial-Status", out var status) ? status.ToString() : null;
}
