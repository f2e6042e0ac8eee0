using System.Text;
using System.Text.Json;

namespace Perennial.Tests.Fixtures;

/// <summary>A file of language-neutral cases; the format is described beside them.</summary>
internal static class ConformanceFile
{
    public static Dictionary<string, T> Load<T>(string file, Func<JsonElement, T> parse)
    {
        using var stream = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "conformance", file));
        using var document = JsonDocument.Parse(stream);
        return document.RootElement.GetProperty("cases").EnumerateArray()
            .ToDictionary(static each => each.GetProperty("name").GetString()!, parse, StringComparer.Ordinal);
    }

    /// <summary>The bytes of a case: text, or pieces one behind the other.</summary>
    public static byte[] Input(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.String => Encoding.UTF8.GetBytes(json.GetString()!),
            JsonValueKind.Array => [.. json.EnumerateArray().SelectMany(Input)],
            _ when json.TryGetProperty("hex", out var hex) =>
                Convert.FromHexString(hex.GetString()!.Replace(" ", "", StringComparison.Ordinal)),
            _ =>
                [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(json.GetProperty("repeat").GetString()!), json.GetProperty("times").GetInt32())
                .SelectMany(piece => piece)],
        };
}
