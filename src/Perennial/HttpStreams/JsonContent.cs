using System.Net;
using Perennial.Http;

namespace Perennial.HttpStreams;

/// <summary>
/// Checks the media type of a response for JSON. JSON types are read, and so are types that do not determine the format. An HTML page or an
/// event stream is refused at once instead of line by line.
/// </summary>
internal static class JsonContent
{
    /// <exception cref="TransportException">The response has a body of another type.</exception>
    public static void ThrowIfOther(HttpResponseMessage response)
    {
        var mediaType = MediaType(response);
        if (response.StatusCode != HttpStatusCode.NoContent && !IsJson(mediaType) && !ProtocolHeaders.IsUntyped(response))
        {
            throw new TransportException(
                TransportErrorCode.UnexpectedContentType,
                $"The server answered with {mediaType}; JSON lines (application/x-ndjson) are required.");
        }
    }

    /// <summary>Whether the body is one JSON document, not JSON lines.</summary>
    public static bool IsDocument(HttpResponseMessage response)
    {
        var mediaType = MediaType(response);
        return mediaType is "application/json" or "text/json"
            || (mediaType.EndsWith("+json", StringComparison.Ordinal) && mediaType is not "application/stream+json");
    }

    /// <summary>
    /// Whether a media type is JSON or JSON lines. JSON lines have no registered type and many in use: application/x-ndjson, ndjson, jsonl,
    /// jsonlines, stream+json. JSON text sequences (application/json-seq, RFC 7464) have another framing.
    /// </summary>
    private static bool IsJson(string mediaType) =>
        mediaType.EndsWith("json", StringComparison.Ordinal)
        || mediaType.EndsWith("jsonl", StringComparison.Ordinal)
        || mediaType.EndsWith("jsonlines", StringComparison.Ordinal)
        || mediaType.EndsWith("json-lines", StringComparison.Ordinal);

    private static string MediaType(HttpResponseMessage response) =>
        ProtocolHeaders.MediaType(response)?.ToLowerInvariant() ?? "";
}
