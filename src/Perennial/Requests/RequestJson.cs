using System.Text.Json;

namespace Perennial.Requests;

/// <summary>Functions that the JSON conventions share.</summary>
internal static class RequestJson
{
    /// <summary>The accepted nesting depth of messages.</summary>
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1000 };

    public static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    /// <summary>Reads the members of an object, and returns whether it is a reply. The reader is positioned inside the object.</summary>
    public delegate bool MembersReader(ref Utf8JsonReader reader, ReadOnlyMemory<byte> message, out ReplyContent reply);

    private static Utf8JsonReader Reader(ReadOnlySpan<byte> json) => new(json, Deep);

    /// <summary>Reads a message as a reply. A message that is not a JSON object is not a reply.</summary>
    public static bool Read(in StreamMessage message, MembersReader readMembers, out ReplyContent reply)
    {
        reply = default;
        try
        {
            var reader = Reader(message.Bytes);
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && readMembers(ref reader, message.Data, out reply);
        }
        catch (Exception e) when (MeansMalformedJson(e))
        {
            return false;
        }
    }

    /// <summary>
    /// Checks that the text is one JSON value. Returns its kind and whether it is an object with the given member at the top level.
    /// </summary>
    public static (JsonTokenType Kind, bool HasMember) Inspect(ReadOnlySpan<byte> json, ReadOnlySpan<byte> member)
    {
        var reader = Reader(json);
        try
        {
            reader.Read();
            var (kind, hasMember) = (reader.TokenType, false);
            while (reader.Read())
            {
                hasMember |= reader.CurrentDepth == 1 && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals(member);
            }

            return (kind, hasMember);
        }
        catch (Exception e) when (MeansMalformedJson(e))
        {
            return (JsonTokenType.None, false);
        }
    }

    /// <summary>
    /// Reads an error: a string, or an object with a message and a code. Returns <see langword="null"/> for any other value.
    /// </summary>
    public static RequestError? Error(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return new RequestError { Message = reader.GetString(), Code = null };
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        using var document = JsonDocument.ParseValue(ref reader);
        return new RequestError { Message = Text(document.RootElement, "message"), Code = Text(document.RootElement, "code") };
    }

    /// <summary>
    /// Whether the exception means malformed JSON. Half a surrogate pair is valid JSON but not a valid string; reading or comparing it
    /// throws <see cref="InvalidOperationException"/>.
    /// </summary>
    private static bool MeansMalformedJson(Exception e) => e is JsonException or InvalidOperationException;

    private static string? Text(JsonElement error, string name) =>
        !error.TryGetProperty(name, out var member) ? null : member.ValueKind switch
    {
        JsonValueKind.String => member.GetString(),
        JsonValueKind.Number => member.GetRawText(),
        _ => null,
    };
}
