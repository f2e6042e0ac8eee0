using System.Net.Http.Headers;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>How events follow one another in a body.</summary>
internal enum StreamForm
{
    /// <summary>The first byte decides: JSON lines begin with a brace.</summary>
    Unknown,
    Events,
    Lines,
}

/// <summary>Finds the form of a body by its headers. Pure.</summary>
internal static class StreamForms
{
    /// <summary>Whether a body may be a stream of events: by its type, or because no type and no length is given.</summary>
    public static bool MayBeStream(HttpContentHeaders headers) =>
        headers.ContentEncoding.Count == 0
        && (Of(headers) != StreamForm.Unknown || (headers.ContentLength is null && IsUntyped(headers.ContentType?.MediaType)));

    private static bool IsUntyped(string? type) => type is null or "text/plain" or "application/octet-stream";

    public static StreamForm Of(HttpContentHeaders headers) => headers.ContentType?.MediaType switch
    {
        { } type when type.Equals(MediaTypes.EventStream, StringComparison.OrdinalIgnoreCase) => StreamForm.Events,
        { } type when type.Equals(MediaTypes.JsonLines, StringComparison.OrdinalIgnoreCase) => StreamForm.Lines,
        _ => StreamForm.Unknown,
    };
}
