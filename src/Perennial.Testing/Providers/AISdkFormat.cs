using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>UI messages of the AI SDK, as a page's own endpoint sends them.</summary>
internal sealed class AISdkFormat() : ProviderFormat(Dialects.AISdk)
{
    private const string Done = "data: [DONE]\n\n";

    public override string BasePath => "api/chat";

    public override string PromptPath => "api/chat";

    public override string SampleRequest =>
        """{"id":"chat","messages":[{"id":"u","role":"user","parts":[{"type":"text","text":"Hi"}]}],"trigger":"submit-message"}""";

    public override bool IsPrompt(Prompt request) => true;

    public override bool IsStreamed(Prompt prompt) => true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        yield return Part("start", new JsonObject { ["messageId"] = prompt.Id("msg_") });
        yield return Part("start-step", []);
        yield return Part("text-start", new JsonObject { ["id"] = "text-1" });
        foreach (var delta in answer.Deltas)
        {
            yield return Part("text-delta", new JsonObject { ["id"] = "text-1", ["delta"] = delta });
        }

        yield return Part("text-end", new JsonObject { ["id"] = "text-1" });
        if (answer.ToolCall is { } call)
        {
            yield return Part("tool-input-start", new JsonObject { ["toolCallId"] = "call_1", ["toolName"] = call.Name });
            foreach (var half in Halves(call.Arguments))
            {
                yield return Part("tool-input-delta", new JsonObject { ["toolCallId"] = "call_1", ["inputTextDelta"] = half });
            }

            var input = new JsonObject { ["toolCallId"] = "call_1", ["toolName"] = call.Name, ["input"] = Arguments(call) };
            yield return Part("tool-input-available", input);
        }

        yield return Part("finish-step", []);
        yield return Part("finish", new JsonObject { ["messageMetadata"] = new JsonObject { ["usage"] = Usage(answer) } });
        yield return Done;
    }

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) =>
        Part("error", new JsonObject { ["errorText"] = error.Text }) + Done;

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) =>
        new JsonObject { ["error"] = error.Text, ["code"] = error.Code ?? "server_error" };

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) =>
        [("x-vercel-ai-ui-message-stream", "v1"), ("Cache-Control", "no-cache"), ("X-Accel-Buffering", "no")];

    /// <summary>A page asks with GET whether a stream runs; none does.</summary>
    public override PlainAnswer? Other(RecordedRequest request, Prompt body) => request.Method is "GET" ? new PlainAnswer(204) : null;

    private static string Part(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        return Event(data);
    }

    private static JsonObject Usage(ScriptedAnswer answer) => new()
    {
        ["inputTokens"] = answer.InputTokens,
        ["outputTokens"] = answer.OutputTokens,
        ["totalTokens"] = answer.TotalTokens,
    };
}
