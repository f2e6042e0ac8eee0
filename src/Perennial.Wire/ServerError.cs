using System.Globalization;
using System.Text.Json;

namespace Perennial.Wire;

/// <summary>
/// A server's error message in JSON. Reads the common forms: problem details (RFC 9457), <c>{"error":{"message","code"}}</c> as model
/// providers send it, <c>{"error":"…"}</c>, OAuth (RFC 6749, 5.2), and the same members at the top level. Pure.
/// </summary>
/// <param name="Message">The sentence for a person. <see langword="null"/> if there is none.</param>
/// <param name="Code">The code for programs. <see langword="null"/> if there is none.</param>
internal readonly record struct ServerError(string? Message, string? Code)
{
    private static readonly string[] Messages = ["message", "error_description", "detail", "errorText", "title"];

    /// <summary>Reads a JSON document. If the text is not JSON, message and code are null.</summary>
    public static ServerError FromJson(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return Read(document.RootElement);
        }
        // Half a surrogate pair is valid JSON, but no string: reading it is an InvalidOperationException.
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            return default;
        }
    }

    private static ServerError Read(JsonElement root)
    {
        if (root.ValueKind == JsonValueKind.Array && root.GetArrayLength() > 0)
        {
            return Read(root[0]);       // Gemini, if the stream was not requested as events
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            return root.ValueKind == JsonValueKind.String ? new ServerError(Text(root), null) : default;
        }

        if (root.TryGetProperty("error", out var error) && error.ValueKind is JsonValueKind.Object or JsonValueKind.String)
        {
            return error.ValueKind == JsonValueKind.Object
                ? new ServerError(MessageOf(error) ?? MessageOf(root), CodeOf(error) ?? CodeOf(root))
                : FromErrorText(Text(error), root);
        }

        if (root.TryGetProperty("response", out var response) && response.ValueKind == JsonValueKind.Object && response.TryGetProperty("error", out _))
        {
            return Read(response);      // OpenAI's response.failed
        }

        return root.TryGetProperty("errors", out var errors) && errors.ValueKind == JsonValueKind.Array && errors.GetArrayLength() > 0
            ? Read(errors[0])
            : new ServerError(MessageOf(root), CodeOf(root));
    }

    /// <summary>The text of <c>error</c> is the code if there is also a message, and otherwise the message itself.</summary>
    private static ServerError FromErrorText(string? word, JsonElement root) => MessageOf(root) is { } message
        ? new ServerError(message, Member(root, "code") ?? word)
        : new ServerError(word, CodeOf(root));

    private static string? MessageOf(JsonElement element)
    {
        foreach (var name in Messages)
        {
            if (Member(element, name) is { } text)
            {
                return text;
            }
        }

        return null;
    }

    /// <summary>
    /// A textual code rather than a number, since numbers repeat the HTTP status. The type URI of problem details is one, except
    /// "about:blank", which has no meaning of its own (RFC 9457, 4.2.1).
    /// </summary>
    private static string? CodeOf(JsonElement element) =>
        Member(element, "code") ?? Member(element, "status")
        ?? (Member(element, "type") is { } type and not ("about:blank" or "error") ? type : null)
        ?? Number(element, "code");

    private static string? Member(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? Text(value) : null;

    private static string? Number(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number)
            ? number.ToString(CultureInfo.InvariantCulture)
            : null;

    private static string? Text(JsonElement value) => value.GetString() is { Length: > 0 } text ? text : null;
}
