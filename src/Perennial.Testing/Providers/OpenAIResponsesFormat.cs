using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>OpenAI's responses. Each event has a number.</summary>
internal sealed class OpenAIResponsesFormat() : ProviderFormat(Dialects.OpenAIResponses)
{
    public override string ContentType => "text/event-stream; charset=utf-8";

    public override string BasePath => "v1";

    public override string PromptPath => "v1/responses";

    public override string SampleRequest => """{"model":"scripted","input":"Hi","stream":true}""";

    public override bool IsPrompt(Prompt request) => PathEndsWith(request, "/responses");

    public override bool IsStreamed(Prompt prompt) => prompt.Flag("stream") == true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt) =>
        Unnumbered(answer, prompt).Select(static (item, index) => Numbered(item.Type, item.Data, index));

    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt) => Completed(answer, prompt);

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index)
    {
        var response = Response(prompt, "failed");
        response["error"] = new JsonObject { ["code"] = error.Code ?? "server_error", ["message"] = error.Text };
        return Numbered("response.failed", new JsonObject { ["response"] = response }, index);
    }

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => OpenAIChatFormat.Error(status, error);

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) => OpenAIChatFormat.HeadersOf(prompt);

    private static IEnumerable<(string Type, JsonObject Data)> Unnumbered(ScriptedAnswer answer, Prompt prompt)
    {
        yield return ("response.created", new JsonObject { ["response"] = Response(prompt, "in_progress") });
        yield return ("response.in_progress", new JsonObject { ["response"] = Response(prompt, "in_progress") });
        foreach (var each in TextEvents(answer, prompt).Concat(ToolEvents(answer, prompt)))
        {
            yield return each;
        }

        yield return ("response.completed", new JsonObject { ["response"] = Completed(answer, prompt) });
    }

    private static IEnumerable<(string Type, JsonObject Data)> TextEvents(ScriptedAnswer answer, Prompt prompt)
    {
        JsonObject InPart(string name, JsonNode? value) => new()
        {
            ["item_id"] = prompt.Id("msg_"),
            ["output_index"] = 0,
            ["content_index"] = 0,
            [name] = value,
        };

        yield return ("response.output_item.added", Item(0, Message(prompt, "in_progress", null)));
        yield return ("response.content_part.added", InPart("part", Part("")));
        foreach (var delta in answer.Deltas)
        {
            yield return ("response.output_text.delta", InPart("delta", delta));
        }

        yield return ("response.output_text.done", InPart("text", answer.Text));
        yield return ("response.content_part.done", InPart("part", Part(answer.Text)));
        yield return ("response.output_item.done", Item(0, Message(prompt, "completed", answer.Text)));
    }

    private static IEnumerable<(string Type, JsonObject Data)> ToolEvents(ScriptedAnswer answer, Prompt prompt)
    {
        if (answer.ToolCall is not { } call)
        {
            yield break;
        }

        JsonObject InCall(string name, string value) => new() { ["item_id"] = prompt.Id("fc_"), ["output_index"] = 1, [name] = value };

        yield return ("response.output_item.added", Item(1, Call(prompt, "in_progress", (call.Name, ""))));
        foreach (var half in Halves(call.Arguments))
        {
            yield return ("response.function_call_arguments.delta", InCall("delta", half));
        }

        yield return ("response.function_call_arguments.done", InCall("arguments", call.Arguments));
        yield return ("response.output_item.done", Item(1, Call(prompt, "completed", call)));
    }

    private static string Numbered(string type, JsonObject data, int number)
    {
        data.Insert(0, "type", type);
        data.Insert(1, "sequence_number", number);
        return Event(type, data);
    }

    private static JsonObject Completed(ScriptedAnswer answer, Prompt prompt)
    {
        var response = Response(prompt, "completed");
        var output = new JsonArray(Message(prompt, "completed", answer.Text));
        if (answer.ToolCall is { } call)
        {
            output.Add(Call(prompt, "completed", call) as JsonNode);
        }

        response["output"] = output;
        response["usage"] = new JsonObject
        {
            ["input_tokens"] = answer.InputTokens,
            ["input_tokens_details"] = new JsonObject { ["cached_tokens"] = 0 },
            ["output_tokens"] = answer.OutputTokens,
            ["output_tokens_details"] = new JsonObject { ["reasoning_tokens"] = 0 },
            ["total_tokens"] = answer.TotalTokens,
        };
        return response;
    }

    private static JsonObject Response(Prompt prompt, string status) => new()
    {
        ["id"] = prompt.Id("resp_"),
        ["object"] = "response",
        ["created_at"] = Created,
        ["status"] = status,
        ["background"] = prompt.Flag("background") ?? false,
        ["error"] = null,
        ["incomplete_details"] = null,
        ["instructions"] = null,
        ["metadata"] = new JsonObject(),
        ["model"] = prompt.Model,
        ["output"] = new JsonArray(),
        ["parallel_tool_calls"] = true,
        ["previous_response_id"] = null,
        ["store"] = prompt.Flag("store") ?? true,
        ["temperature"] = 1.0,
        ["text"] = new JsonObject { ["format"] = new JsonObject { ["type"] = "text" } },
        ["tool_choice"] = "auto",
        ["tools"] = new JsonArray(),
        ["top_p"] = 1.0,
        ["truncation"] = "disabled",
        ["usage"] = null,
    };

    private static JsonObject Item(int index, JsonObject item) => new() { ["output_index"] = index, ["item"] = item };

    private static JsonObject Message(Prompt prompt, string status, string? text) => new()
    {
        ["id"] = prompt.Id("msg_"),
        ["type"] = "message",
        ["status"] = status,
        ["role"] = "assistant",
        ["content"] = text is null ? new JsonArray() : new JsonArray(Part(text)),
    };

    private static JsonObject Part(string text) => new()
    {
        ["type"] = "output_text",
        ["text"] = text,
        ["annotations"] = new JsonArray(),
        ["logprobs"] = new JsonArray(),
    };

    private static JsonObject Call(Prompt prompt, string status, (string Name, string Arguments) call) => new()
    {
        ["id"] = prompt.Id("fc_"),
        ["type"] = "function_call",
        ["status"] = status,
        ["call_id"] = "call_1",
        ["name"] = call.Name,
        ["arguments"] = call.Arguments,
    };
}
