using System.Text.Json;
using Perennial.Wire;

namespace Perennial;

/// <summary>Functions for the formats in JSON. A search runs before any parsing, because nearly every message has no signal.</summary>
internal static class DialectJson
{
    private static readonly JsonReaderOptions Deep = new() { MaxDepth = 1000 };

    /// <summary>Whether this is the end marker of chat completions.</summary>
    public static bool IsDone(ReadOnlySpan<byte> data) => data.SequenceEqual(ControlData.Done);

    /// <summary>
    /// Whether a JSON object has the member <c>error</c> at its top, and its value is an object or a text that is not empty.
    /// </summary>
    public static bool HasError(ReadOnlySpan<byte> data) =>
        MayHave(data, "\"error\""u8) && Has(data, "error"u8, static (ref Utf8JsonReader value) =>
        value.TokenType == JsonTokenType.StartObject || value is { TokenType: JsonTokenType.String, ValueSpan.IsEmpty: false });

    /// <summary>Gets the text of the member <c>type</c> at the top of a JSON object, or <see langword="null"/>.</summary>
    public static string? TypeOf(ReadOnlySpan<byte> data)
    {
        string? type = null;
        return Has(data, "type"u8, (ref Utf8JsonReader value) =>
        {
            type = value.TokenType == JsonTokenType.String ? value.GetString() : null;
            return true;
        })
            ? type
            : null;
    }

    /// <summary>Gets the value of a member at the top of a JSON object, or <see langword="null"/> if there is none.</summary>
    public static JsonElement? ValueOf(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name)
    {
        JsonElement? found = null;
        Has(data, name, (ref Utf8JsonReader value) =>
        {
            found = JsonElement.ParseValue(ref value);
            return true;
        });
        return found;
    }

    /// <summary>Whether a text stands anywhere in a JSON object.</summary>
    public static bool MayHave(ReadOnlySpan<byte> data, ReadOnlySpan<byte> text) => data is [(byte)'{', ..] && data.IndexOf(text) >= 0;

    /// <summary>Whether a JSON object has a member at its top whose value fits.</summary>
    public static bool Has(ReadOnlySpan<byte> data, ReadOnlySpan<byte> name, ValueTest fits)
    {
        try
        {
            var reader = new Utf8JsonReader(data, Deep);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isNamed = reader.ValueTextEquals(name);
                reader.Read();
                if (isNamed)
                {
                    return fits(ref reader);
                }

                reader.Skip();
            }
        }
        // Half of a surrogate pair is valid JSON, but comparing it throws InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return false;
        }

        return false;
    }

    /// <summary>Whether a value of JSON fits. The reader stands at the value.</summary>
    public delegate bool ValueTest(ref Utf8JsonReader value);
}
