using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>AG-UI: the events of one run of an agent.</summary>
internal sealed class AGUIFormat() : ProviderFormat(Dialects.AGUI)
{
    public override string BasePath => "agent";

    public override string PromptPath => "agent";

    public override string SampleRequest => """
        {"threadId":"thread","runId":"run","state":{},"messages":[{"id":"u","role":"user","content":"Hi"}],
        "tools":[],"context":[],"forwardedProps":{}}
        """;

    public override bool IsPrompt(Prompt request) => true;

    public override bool IsStreamed(Prompt prompt) => true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        var message = prompt.Id("msg_");
        yield return Typed("RUN_STARTED", Run(prompt));
        yield return Typed("TEXT_MESSAGE_START", new JsonObject { ["messageId"] = message, ["role"] = "assistant" });
        foreach (var delta in answer.Deltas)
        {
            yield return Typed("TEXT_MESSAGE_CONTENT", new JsonObject { ["messageId"] = message, ["delta"] = delta });
        }

        yield return Typed("TEXT_MESSAGE_END", new JsonObject { ["messageId"] = message });
        if (answer.ToolCall is { } call)
        {
            var start = new JsonObject { ["toolCallId"] = "call_1", ["toolCallName"] = call.Name, ["parentMessageId"] = message };
            yield return Typed("TOOL_CALL_START", start);
            foreach (var half in Halves(call.Arguments))
            {
                yield return Typed("TOOL_CALL_ARGS", new JsonObject { ["toolCallId"] = "call_1", ["delta"] = half });
            }

            yield return Typed("TOOL_CALL_END", new JsonObject { ["toolCallId"] = "call_1" });
        }

        var finished = Run(prompt);
        finished["result"] = new JsonObject
        {
            ["usage"] = new JsonObject { ["inputTokens"] = answer.InputTokens, ["outputTokens"] = answer.OutputTokens },
        };
        yield return Typed("RUN_FINISHED", finished);
    }

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) =>
        Typed("RUN_ERROR", new JsonObject { ["message"] = error.Text, ["code"] = error.Code ?? "server_error" });

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) =>
        new JsonObject { ["error"] = error.Text, ["code"] = error.Code ?? "server_error" };

    private static JsonObject Run(Prompt prompt) => new()
    {
        ["threadId"] = prompt.Text("threadId") ?? "thread",
        ["runId"] = prompt.Text("runId") ?? "run",
    };

    private static string Typed(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        return Event(data);
    }
}
