using System.Text.Json;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Sse;

/// <summary>One case of conformance/sse.json; the format is described beside it.</summary>
internal sealed record SseConformanceCase(string Name, byte[] Input, string? LastEventId, StreamReading Expected)
{
    public static IReadOnlyDictionary<string, SseConformanceCase> ByName { get; } = ConformanceFile.Load("sse.json", Parse);

    private static SseConformanceCase Parse(JsonElement json)
    {
        var messages = json.GetProperty("messages").EnumerateArray().Select(message => new ReadMessage(
            message.GetProperty("id").GetString(), message.GetProperty("type").GetString()!, message.GetProperty("data").GetString()!));
        var retry = json.GetProperty("retry");
        return new SseConformanceCase(
            json.GetProperty("name").GetString()!,
            ConformanceFile.Input(json.GetProperty("input")),
            json.TryGetProperty("lastEventId", out var id) ? id.GetString() : null,
            new StreamReading(
                [.. messages],
                json.GetProperty("cursor").GetString(),
                retry.ValueKind == JsonValueKind.Null ? null : retry.GetDouble()));
    }
}
