using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>MCP's streamable HTTP (2025-11-25): a server with one tool, <c>ask</c>, whose call is answered with a stream.</summary>
internal sealed class McpFormat() : JsonRpcFormat(Dialects.Mcp)
{
    public override bool HasEventIds => true;

    public override string BasePath => "mcp";

    public override string PromptPath => "mcp";

    public override string SampleRequest =>
        """{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"ask","arguments":{"text":"Hi"},"_meta":{"progressToken":1}}}""";

    public override bool IsPrompt(Prompt request) => request.Text("method") is "tools/call";

    public override bool IsStreamed(Prompt prompt) => true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        var token = prompt.Body["params"]?["_meta"]?["progressToken"];
        for (var i = 0; i < answer.Deltas.Length; i++)
        {
            yield return Event("message", token is null ? Log(answer.Deltas[i]) : Progress(token, i + 1, answer));
        }

        yield return Event("message", Result(prompt, new JsonObject
        {
            ["content"] = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = answer.Text }),
            ["isError"] = false,
            ["_meta"] = new JsonObject { ["usage"] = Usage(answer) },
        }));
    }

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Event("message", ErrorBody(500, error, prompt));

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) => [("mcp-session-id", "session-1")];

    public override PlainAnswer? Other(RecordedRequest request, Prompt body) => request.Method switch
    {
        "GET" => new PlainAnswer(405),
        "DELETE" => new PlainAnswer(200),
        "POST" when body.RpcId is null => new PlainAnswer(202),
        "POST" => body.Text("method") switch
        {
            "initialize" => new PlainAnswer(200, Result(body, Initialized(body))),
            "ping" => new PlainAnswer(200, Result(body, new JsonObject())),
            "tools/list" => new PlainAnswer(200, Result(body, new JsonObject { ["tools"] = new JsonArray(Tool()) })),
            _ => Unknown(body),
        },
        _ => null,
    };

    private static JsonObject Progress(JsonNode token, int progress, ScriptedAnswer answer) =>
        Notification("notifications/progress", new JsonObject
        {
            ["progressToken"] = token.DeepClone(),
            ["progress"] = progress,
            ["total"] = answer.Deltas.Length,
            ["message"] = answer.Deltas[progress - 1],
        });

    private static JsonObject Log(string text) =>
        Notification("notifications/message", new JsonObject { ["level"] = "info", ["data"] = text });

    private static JsonObject Notification(string method, JsonObject parameters) => new()
    {
        ["jsonrpc"] = "2.0",
        ["method"] = method,
        ["params"] = parameters,
    };

    private static JsonObject Initialized(Prompt request) => new()
    {
        ["protocolVersion"] = request.Body["params"]?["protocolVersion"]?.DeepClone() ?? "2025-11-25",
        ["capabilities"] = new JsonObject { ["tools"] = new JsonObject(), ["logging"] = new JsonObject() },
        ["serverInfo"] = new JsonObject { ["name"] = "scripted", ["version"] = "1.0.0" },
    };

    private static JsonObject Tool() => new()
    {
        ["name"] = "ask",
        ["description"] = "Answers with the scripted text.",
        ["inputSchema"] = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { ["text"] = new JsonObject { ["type"] = "string" } },
        },
    };
}
