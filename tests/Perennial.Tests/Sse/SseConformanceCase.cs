using System.Text;
using System.Text.Json;

namespace Perennial.Tests.Sse;

/// <summary>One case of conformance/sse.json; the format is described beside it.</summary>
internal sealed record SseConformanceCase(string Name, byte[] Input, string? LastEventId, StreamReading Expected)
{
    public static IReadOnlyDictionary<string, SseConformanceCase> ByName { get; } = Load();

    private static Dictionary<string, SseConformanceCase> Load()
    {
        using var file = File.OpenRead(Path.Combine(AppContext.BaseDirectory, "conformance", "sse.json"));
        using var document = JsonDocument.Parse(file);
        return document.RootElement.GetProperty("cases").EnumerateArray().Select(Parse).ToDictionary(each => each.Name, StringComparer.Ordinal);
    }

    private static SseConformanceCase Parse(JsonElement json)
    {
        var messages = json.GetProperty("messages").EnumerateArray().Select(message => new ReadMessage(
            message.GetProperty("id").GetString(), message.GetProperty("type").GetString()!, message.GetProperty("data").GetString()!));
        var retry = json.GetProperty("retry");
        return new SseConformanceCase(
            json.GetProperty("name").GetString()!,
            ParseInput(json.GetProperty("input")),
            json.TryGetProperty("lastEventId", out var id) ? id.GetString() : null,
            new StreamReading(
                [.. messages],
                json.GetProperty("cursor").GetString(),
                retry.ValueKind == JsonValueKind.Null ? null : retry.GetDouble()));
    }

    private static byte[] ParseInput(JsonElement json) =>
        json.ValueKind switch
        {
            JsonValueKind.String => Encoding.UTF8.GetBytes(json.GetString()!),
            JsonValueKind.Array => [.. json.EnumerateArray().SelectMany(ParseInput)],
            _ when json.TryGetProperty("hex", out var hex) =>
                Convert.FromHexString(hex.GetString()!.Replace(" ", "", StringComparison.Ordinal)),
            _ => [.. Enumerable.Repeat(Encoding.UTF8.GetBytes(json.GetProperty("repeat").GetString()!), json.GetProperty("times").GetInt32())
                .SelectMany(piece => piece)],
        };
}
