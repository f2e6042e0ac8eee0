using System.Text.Json;
using Perennial.Testing;
using Perennial.Tests.Fixtures;
using Perennial.Tests.Support;

namespace Perennial.Tests.Conformance;

/// <summary>One case of conformance/dialects.json; the format is described beside it.</summary>
internal sealed record DialectCase
{
    public required string Dialect { get; init; }

    public required bool IsSse { get; init; }

    public required IReadOnlyList<(string Name, string Value)> Headers { get; init; }

    public required string Body { get; init; }

    public required bool IsReset { get; init; }

    public required int Messages { get; init; }

    public required string Outcome { get; init; }

    public required string? Code { get; init; }

    public required string? ServerCode { get; init; }

    public static IReadOnlyDictionary<string, DialectCase> Load() => ConformanceFile.Load("dialects.json", Parse);

    public Task ScriptAsync(ScriptedExchange exchange) => IsSse
        ? SseScripts.Stream(Body, IsReset ? Ending.Reset : Ending.InGoodOrder, [.. Headers])(exchange)
        : BodyScripts.Lines(Body, IsReset ? Ending.Reset : Ending.InGoodOrder)(exchange);

    private static DialectCase Parse(JsonElement json) => new()
    {
        Dialect = json.GetProperty("dialect").GetString()!,
        IsSse = json.GetProperty("transport").ValueEquals("sse"),
        Headers = json.TryGetProperty("headers", out var headers)
            ? [.. headers.EnumerateObject().Select(static each => (each.Name, each.Value.GetString()!))]
            : [],
        Body = json.GetProperty("body").GetString()!,
        IsReset = json.TryGetProperty("ending", out var ending) && ending.ValueEquals("reset"),
        Messages = json.GetProperty("messages").GetInt32(),
        Outcome = json.GetProperty("outcome").GetString()!,
        Code = json.GetProperty("code").GetString(),
        ServerCode = json.TryGetProperty("serverCode", out var serverCode) ? serverCode.GetString() : null,
    };
}
