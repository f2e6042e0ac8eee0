using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Perennial;

/// <summary>
/// Where a stream goes on, in another process or on another device: the URL of the stream and the id of the last message that its reader
/// took. A plain value: save it as JSON (<see cref="Serialize"/>, or any use of <see cref="JsonSerializer"/>), in the form that the
/// TypeScript client writes and reads too, and hand it to <see cref="TransportOptions.ResumeFrom"/>. Immutable and thread safe.
/// </summary>
/// <remarks>
/// The saved form holds the whole URL, query included, except user name and password. Whoever has it can read the stream where the server
/// asks for nothing else, so keep it like a credential. <see cref="ToString"/> shows neither path, query nor id.
/// </remarks>
public sealed record ResumePoint
{
    /// <summary>Creates a resume point.</summary>
    /// <param name="endpoint">The absolute URL of the stream. A user name and password in it are left out.</param>
    /// <param name="lastEventId">The id of the last message taken, or <see langword="null"/> for the start of the stream.</param>
    /// <exception cref="ArgumentException">The URL is not absolute, or the id contains a line break or a null character.</exception>
    [JsonConstructor]
    public ResumePoint(Uri endpoint, string? lastEventId = null)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        OptionCheck.Require(endpoint.IsAbsoluteUri, nameof(endpoint), "The URL of a resume point must be absolute.");
        OptionCheck.EventId(lastEventId, nameof(lastEventId));
        Endpoint = WithoutUserInfo(endpoint);
        LastEventId = string.IsNullOrEmpty(lastEventId) ? null : lastEventId;
    }

    /// <summary>Gets the URL of the stream. Where a POST started the stream, this is the URL that the server named in <c>Content-Location</c>.</summary>
    [JsonPropertyName("url")]
    public Uri Endpoint { get; }

    /// <summary>Gets the id of the last message that the reader took, or <see langword="null"/> for the start of the stream.</summary>
    [JsonPropertyName("lastEventId")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastEventId { get; }

    /// <summary>
    /// Gets whether the last message that the reader took has this id. <see langword="false"/> where messages without an id followed it, as
    /// on a stream without any: who goes on here cannot know what is repeated or missing, and is told by a <see cref="GapEvent"/>.
    /// </summary>
    [JsonIgnore]
    public bool IsExact { get; init; } = true;

    /// <summary>The saved form names it only where it is <see langword="false"/>.</summary>
    [JsonInclude]
    [JsonPropertyName("exact")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal bool? SavedIsExact { get => IsExact ? null : false; init => IsExact = value ?? true; }

    /// <summary>Reads what <see cref="Serialize"/> wrote.</summary>
    /// <param name="text">The saved form.</param>
    /// <exception cref="FormatException">The text is not the saved form of a resume point.</exception>
    public static ResumePoint Parse(string text) =>
        TryParse(text, out var point) ? point : throw new FormatException("This is not a saved resume point, which is JSON with a member url and perhaps lastEventId.");

    /// <summary>Reads what <see cref="Serialize"/> wrote. Returns <see langword="false"/> if the text is something else.</summary>
    /// <param name="text">The saved form.</param>
    /// <param name="point">The resume point.</param>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out ResumePoint? point)
    {
        try
        {
            point = text is null ? null : JsonSerializer.Deserialize(text, ResumePointJson.Default.ResumePoint);
        }
        catch (Exception e) when (e is JsonException or ArgumentException)
        {
            point = null;
        }

        return point is not null;
    }

    /// <summary>Writes the form to save: one line of JSON such as <c>{"url":"https://host/runs/7","lastEventId":"42"}</c>.</summary>
    public string Serialize() => JsonSerializer.Serialize(this, ResumePointJson.Default.ResumePoint);

    /// <summary>Leaves the rest of the URL as it was given, byte for byte.</summary>
    private static Uri WithoutUserInfo(Uri url)
    {
        if (url.UserInfo.Length == 0)
        {
            return url;
        }

        var text = url.OriginalString;
        var start = text.IndexOf("://", StringComparison.Ordinal) + 3;
        return new Uri(text.Remove(start, text.IndexOf('@', start) + 1 - start));
    }

    /// <summary>The origin, and whether there is an id: safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ResumePoint)} {{ {Endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}, {(LastEventId is null ? "start" : "after a message")} }}";
}

/// <summary>The contract of <see cref="ResumePoint"/>, without reflection.</summary>
[JsonSerializable(typeof(ResumePoint))]
internal sealed partial class ResumePointJson : JsonSerializerContext;
