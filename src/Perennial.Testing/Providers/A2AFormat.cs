using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>A2A 0.3 over JSON-RPC: an agent that works on one task for each message.</summary>
internal sealed class A2AFormat() : JsonRpcFormat(Dialects.A2A)
{
    public override string BasePath => "";

    public override string PromptPath => "a2a";

    public override string SampleRequest => """
        {"jsonrpc":"2.0","id":1,"method":"message/stream",
        "params":{"message":{"kind":"message","messageId":"u","role":"user","parts":[{"kind":"text","text":"Hi"}]}}}
        """;

    public override bool IsPrompt(Prompt request) => request.Text("method") is "message/stream" or "message/send";

    public override bool IsStreamed(Prompt prompt) => prompt.Text("method") is not "message/send";

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        yield return Event(Result(prompt, Task(prompt, "submitted")));
        yield return Event(Result(prompt, Update(prompt, "working", isFinal: false)));
        for (var i = 0; i < answer.Deltas.Length; i++)
        {
            yield return Event(Result(prompt, new JsonObject
            {
                ["kind"] = "artifact-update",
                ["taskId"] = prompt.Id("task_"),
                ["contextId"] = prompt.Id("context_"),
                ["artifact"] = Artifact(answer.Deltas[i]),
                ["append"] = i > 0,
                ["lastChunk"] = i == answer.Deltas.Length - 1,
            }));
        }

        var last = Update(prompt, "completed", isFinal: true);
        last["metadata"] = new JsonObject { ["usage"] = Usage(answer) };
        yield return Event(Result(prompt, last));
    }

    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt)
    {
        var task = Task(prompt, "completed");
        task["artifacts"] = new JsonArray(Artifact(answer.Text));
        task["metadata"] = new JsonObject { ["usage"] = Usage(answer) };
        return Result(prompt, task);
    }

    public override PlainAnswer? Other(RecordedRequest request, Prompt body) => request.Method switch
    {
        "POST" => Unknown(body),
        "GET" when PathEndsWith(body, "/agent-card.json") => new PlainAnswer(200, Card(request, body)),
        _ => null,
    };

    private JsonObject Card(RecordedRequest request, Prompt body) => new()
    {
        ["protocolVersion"] = "0.3.0",
        ["name"] = "scripted",
        ["description"] = "Answers with the scripted text.",
        ["url"] = $"http://{request.Header("Host")}{body.Path.Split(".well-known/")[0]}{PromptPath}",
        ["preferredTransport"] = "JSONRPC",
        ["version"] = "1.0.0",
        ["capabilities"] = new JsonObject { ["streaming"] = true },
        ["defaultInputModes"] = new JsonArray("text/plain"),
        ["defaultOutputModes"] = new JsonArray("text/plain"),
        ["skills"] = new JsonArray(),
    };

    private static JsonObject Task(Prompt prompt, string state) => new()
    {
        ["kind"] = "task",
        ["id"] = prompt.Id("task_"),
        ["contextId"] = prompt.Id("context_"),
        ["status"] = new JsonObject { ["state"] = state },
    };

    private static JsonObject Update(Prompt prompt, string state, bool isFinal) => new()
    {
        ["kind"] = "status-update",
        ["taskId"] = prompt.Id("task_"),
        ["contextId"] = prompt.Id("context_"),
        ["status"] = new JsonObject { ["state"] = state },
        ["final"] = isFinal,
    };

    private static JsonObject Artifact(string text) => new()
    {
        ["artifactId"] = "answer",
        ["parts"] = new JsonArray(new JsonObject { ["kind"] = "text", ["text"] = text }),
    };
}
