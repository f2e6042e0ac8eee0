using System.Text.Json;
using Perennial.Tests.Fixtures;

namespace Perennial.Tests.Conformance;

/// <summary>One answer of a scripted server; without a status the connection is reset unanswered.</summary>
internal sealed record ExchangeAnswer(int? Status, IReadOnlyList<(string Name, string Value)> Headers, string Body, bool IsReset);

/// <summary>One case of conformance/retry.json or replay.json; the format is described beside them.</summary>
internal sealed record ExchangeCase
{
    public required bool IsPost { get; init; }

    public required bool? AllowReplay { get; init; }

    public required int? MaxAttempts { get; init; }

    public required TimeSpan? MaxRetryAfter { get; init; }

    public required IReadOnlyList<ExchangeAnswer> Answers { get; init; }

    public required IReadOnlyList<string> Requests { get; init; }

    public required IReadOnlyList<string> Messages { get; init; }

    public required string Outcome { get; init; }

    public required string? Code { get; init; }

    public static IReadOnlyDictionary<string, ExchangeCase> Load(string file) => ConformanceFile.Load(file, Parse);

    private static ExchangeCase Parse(JsonElement json) => new()
    {
        IsPost = json.TryGetProperty("method", out _),
        AllowReplay = json.TryGetProperty("allowReplay", out var allow) ? allow.GetBoolean() : null,
        MaxAttempts = json.TryGetProperty("maxAttempts", out var attempts) ? attempts.GetInt32() : null,
        MaxRetryAfter = json.TryGetProperty("maxRetryAfter", out var wait) ? TimeSpan.FromMilliseconds(wait.GetInt32()) : null,
        Answers = [.. json.GetProperty("answers").EnumerateArray().Select(ParseAnswer)],
        Requests = Texts(json.GetProperty("requests")),
        Messages = Texts(json.GetProperty("messages")),
        Outcome = json.GetProperty("outcome").GetString()!,
        Code = json.GetProperty("code").GetString(),
    };

    private static ExchangeAnswer ParseAnswer(JsonElement json) => new(
        json.TryGetProperty("status", out var status) ? status.GetInt32() : null,
        json.TryGetProperty("headers", out var headers)
            ? [.. headers.EnumerateObject().Select(static each => (each.Name, each.Value.GetString()!))]
            : [],
        json.TryGetProperty("body", out var body) ? body.GetString()! : "",
        json.TryGetProperty("ending", out var ending) && ending.ValueEquals("reset"));

    private static List<string> Texts(JsonElement json) => [.. json.EnumerateArray().Select(static each => each.GetString()!)];
}
