using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>Ollama's chat and generate, in JSON lines.</summary>
internal sealed class OllamaFormat() : ProviderFormat(Dialects.Ollama)
{
    public override string ContentType => "application/x-ndjson";

    public override string BasePath => "";

    public override string PromptPath => "api/chat";

    public override string SampleRequest => """{"model":"scripted","messages":[{"role":"user","content":"Hi"}]}""";

    public override bool IsPrompt(Prompt request) => PathEndsWith(request, "/api/chat") || PathEndsWith(request, "/api/generate");

    public override bool IsStreamed(Prompt prompt) => prompt.Flag("stream") != false;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        foreach (var delta in answer.Deltas)
        {
            yield return Line(Part(prompt, delta, isDone: false));
        }

        if (answer.ToolCall is not null)
        {
            yield return Line(WithToolCall(Part(prompt, "", isDone: false), answer));
        }

        yield return Line(WithCounts(Part(prompt, "", isDone: true), answer));
    }

    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt) =>
        WithCounts(WithToolCall(Part(prompt, answer.Text, isDone: true), answer), answer);

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Line(ErrorBody(500, error, prompt));

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => new JsonObject { ["error"] = error.Text };

    private static string Line(JsonNode node) => Json(node) + "\n";

    private static JsonObject Part(Prompt prompt, string text, bool isDone)
    {
        var part = new JsonObject { ["model"] = prompt.Model, ["created_at"] = "2025-11-30T00:00:00.000000Z" };
        if (PathEndsWith(prompt, "/api/generate"))
        {
            part["response"] = text;
        }
        else
        {
            part["message"] = new JsonObject { ["role"] = "assistant", ["content"] = text };
        }

        part["done"] = isDone;
        return part;
    }

    private static JsonObject WithToolCall(JsonObject part, ScriptedAnswer answer)
    {
        if (answer.ToolCall is { } call && part["message"] is JsonObject message)
        {
            var function = new JsonObject { ["name"] = call.Name, ["arguments"] = Arguments(call) };
            message["tool_calls"] = new JsonArray(new JsonObject { ["function"] = function });
        }

        return part;
    }

    private static JsonObject WithCounts(JsonObject part, ScriptedAnswer answer)
    {
        part["done_reason"] = "stop";
        part["total_duration"] = 5_000_000;
        part["load_duration"] = 1_000_000;
        part["prompt_eval_count"] = answer.InputTokens;
        part["prompt_eval_duration"] = 1_000_000;
        part["eval_count"] = answer.OutputTokens;
        part["eval_duration"] = 3_000_000;
        return part;
    }
}
