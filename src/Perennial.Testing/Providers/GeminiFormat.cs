using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>Gemini's <c>streamGenerateContent</c> and <c>generateContent</c>. Its events end with CRLF.</summary>
internal sealed class GeminiFormat() : ProviderFormat(Dialects.Gemini)
{
    public override string BasePath => "";

    public override string PromptPath => "v1beta/models/scripted:streamGenerateContent?alt=sse";

    public override string SampleRequest => """{"contents":[{"role":"user","parts":[{"text":"Hi"}]}]}""";

    public override bool IsPrompt(Prompt request) =>
        PathEndsWith(request, ":streamGenerateContent") || PathEndsWith(request, ":generateContent");

    public override bool IsStreamed(Prompt prompt) => prompt.Target.Contains("alt=sse", StringComparison.Ordinal);

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt) =>
        Parts(answer, prompt).Select(static part => $"data: {Json(part)}\r\n\r\n");

    /// <summary>One object, or all of them in an array where a stream was asked for without events.</summary>
    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt)
    {
        if (PathEndsWith(prompt, ":streamGenerateContent"))
        {
            return new JsonArray([.. Parts(answer, prompt)]);
        }

        var parts = new JsonArray(Text(answer.Text));
        if (answer.ToolCall is { } call)
        {
            parts.Add(FunctionCall(call) as JsonNode);
        }

        return Part(answer, prompt, parts, isLast: true);
    }

    /// <summary>A bare JSON document, not an event; an official client reads it only if nothing follows.</summary>
    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Json(ErrorBody(503, error, prompt));

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => new JsonObject
    {
        ["error"] = new JsonObject { ["code"] = status, ["message"] = error.Text, ["status"] = error.Code ?? NameOf(status) },
    };

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) =>
        [("Server-Timing", "gfet4t7; dur=42"), ("X-Content-Type-Options", "nosniff")];

    private static string NameOf(int status) => status switch
    {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        < 500 => "INVALID_ARGUMENT",
        503 => "UNAVAILABLE",
        _ => "INTERNAL",
    };

    private static IEnumerable<JsonNode> Parts(ScriptedAnswer answer, Prompt prompt)
    {
        foreach (var delta in answer.Deltas)
        {
            yield return Part(answer, prompt, new JsonArray(Text(delta)), isLast: false);
        }

        if (answer.ToolCall is { } call)
        {
            yield return Part(answer, prompt, new JsonArray(FunctionCall(call)), isLast: false);
        }

        yield return Part(answer, prompt, new JsonArray(Text("")), isLast: true);
    }

    private static JsonObject Part(ScriptedAnswer answer, Prompt prompt, JsonArray parts, bool isLast)
    {
        var candidate = new JsonObject { ["content"] = new JsonObject { ["parts"] = parts, ["role"] = "model" }, ["index"] = 0 };
        var usage = new JsonObject { ["promptTokenCount"] = answer.InputTokens, ["totalTokenCount"] = answer.InputTokens };
        if (isLast)
        {
            candidate["finishReason"] = "STOP";
            usage["candidatesTokenCount"] = answer.OutputTokens;
            usage["totalTokenCount"] = answer.TotalTokens;
        }

        return new JsonObject
        {
            ["candidates"] = new JsonArray(candidate),
            ["usageMetadata"] = usage,
            ["modelVersion"] = ModelOf(prompt),
            ["responseId"] = prompt.Id("response-"),
        };
    }

    private static string ModelOf(Prompt prompt) => prompt.Path.Split('/')[^1].Split(':')[0] is { Length: > 0 } model ? model : "scripted";

    private static JsonObject Text(string text) => new() { ["text"] = text };

    private static JsonObject FunctionCall((string Name, string Arguments) call) => new()
    {
        ["functionCall"] = new JsonObject { ["name"] = call.Name, ["args"] = Arguments(call) },
    };
}
