using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Perennial;

/// <summary>
/// A position in a stream from which another process or device can continue: the URL of the stream and the id of the last message that the
/// reader took. Save it as JSON (<see cref="Serialize"/>, or <see cref="JsonSerializer"/>) and pass it to
/// <see cref="TransportOptions.ResumeFrom"/>. The TypeScript client reads and writes the same form. Immutable and thread safe.
/// </summary>
/// <remarks>
/// The saved form contains the whole URL including its query, except user name and password. Anyone who has it can read the stream if the
/// server requires no other credentials, so protect it like a credential. <see cref="ToString"/> contains neither path, query nor id.
/// </remarks>
public sealed record ResumePoint
{
    /// <summary>Creates a resume point.</summary>
    /// <param name="endpoint">The absolute URL of the stream. A user name and password in it are removed.</param>
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

    /// <summary>
    /// Gets the URL of the stream. If a POST started the stream, this is the URL in the <c>Content-Location</c> of the response.
    /// </summary>
    [JsonPropertyName("url")]
    public Uri Endpoint { get; }

    /// <summary>Gets the id of the last message that the reader took, or <see langword="null"/> for the start of the stream.</summary>
    [JsonPropertyName("lastEventId")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? LastEventId { get; }

    /// <summary>
    /// Gets whether <see cref="LastEventId"/> is the id of the last message that the reader took. <see langword="false"/> if messages
    /// without an id followed it. A transport that resumes here then cannot know which messages are repeated or missing, and raises a
    /// <see cref="GapEvent"/>.
    /// </summary>
    [JsonIgnore]
    public bool IsExact { get; init; } = true;

    /// <summary>The saved form contains this member only if it is <see langword="false"/>.</summary>
    [JsonInclude]
    [JsonPropertyName("exact")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    internal bool? SavedIsExact { get => IsExact ? null : false; init => IsExact = value ?? true; }

    /// <summary>Parses the saved form that <see cref="Serialize"/> returns.</summary>
    /// <param name="text">The saved form.</param>
    /// <exception cref="FormatException">The text is not the saved form of a resume point.</exception>
    public static ResumePoint Parse(string text) =>
        TryParse(text, out var point)
            ? point
            : throw new FormatException("The text is not a saved resume point: JSON with the member url and optionally lastEventId.");

    /// <summary>
    /// Parses the saved form that <see cref="Serialize"/> returns. Returns <see langword="false"/> if the text is malformed.
    /// </summary>
    /// <param name="text">The saved form.</param>
    /// <param name="point">The resume point, or <see langword="null"/> if the method returns <see langword="false"/>.</param>
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

    /// <summary>Returns the saved form: one line of JSON such as <c>{"url":"https://host/runs/7","lastEventId":"42"}</c>.</summary>
    public string Serialize() => JsonSerializer.Serialize(this, ResumePointJson.Default.ResumePoint);

    /// <summary>Removes user name and password. The rest of the URL stays unchanged, byte for byte.</summary>
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

    /// <summary>Returns the origin and whether there is an id. Safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ResumePoint)} {{ {Endpoint.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}, {(LastEventId is null ? "start" : "after a message")} }}";
}

/// <summary>The source-generated JSON contract of <see cref="ResumePoint"/>.</summary>
[JsonSerializable(typeof(ResumePoint))]
internal sealed partial class ResumePointJson : JsonSerializerContext;
