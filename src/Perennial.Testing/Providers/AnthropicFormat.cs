using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>Anthropic's messages.</summary>
internal sealed class AnthropicFormat() : ProviderFormat(Dialects.Anthropic)
{
    public override string ContentType => "text/event-stream; charset=utf-8";

    public override string BasePath => "";

    public override string PromptPath => "v1/messages";

    public override string SampleRequest =>
        """{"model":"scripted","max_tokens":100,"messages":[{"role":"user","content":"Hi"}],"stream":true}""";

    public override bool IsPrompt(Prompt request) => PathEndsWith(request, "/messages");

    public override bool IsStreamed(Prompt prompt) => prompt.Flag("stream") == true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        var start = Message(prompt, [], reason: null, Usage(answer.InputTokens, 1));
        yield return Named("message_start", new JsonObject { ["message"] = start });
        var block = new JsonObject { ["type"] = "text", ["text"] = "" };
        yield return Named("content_block_start", new JsonObject { ["index"] = 0, ["content_block"] = block });
        yield return Named("ping", []);
        foreach (var delta in answer.Deltas)
        {
            yield return Delta(0, "text_delta", "text", delta);
        }

        yield return Named("content_block_stop", new JsonObject { ["index"] = 0 });
        foreach (var each in ToolEvents(answer))
        {
            yield return each;
        }

        yield return Named("message_delta", new JsonObject
        {
            ["delta"] = new JsonObject { ["stop_reason"] = Reason(answer), ["stop_sequence"] = null },
            ["usage"] = Usage(answer.InputTokens, answer.OutputTokens),
        });
        yield return Named("message_stop", []);
    }

    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt)
    {
        var content = new JsonArray(new JsonObject { ["type"] = "text", ["text"] = answer.Text });
        if (answer.ToolCall is { } call)
        {
            content.Add(ToolUse(call.Name, Arguments(call)) as JsonNode);
        }

        return Message(prompt, content, Reason(answer), Usage(answer.InputTokens, answer.OutputTokens));
    }

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Event("error", new JsonObject
    {
        ["type"] = "error",
        ["error"] = new JsonObject { ["type"] = error.Code ?? "overloaded_error", ["message"] = error.Text },
    });

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => new JsonObject
    {
        ["type"] = "error",
        ["error"] = new JsonObject { ["type"] = error.Code ?? TypeOf(status), ["message"] = error.Text },
        ["request_id"] = prompt.Id("req_"),
    };

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) =>
    [
        ("request-id", prompt.Id("req_")),
        ("anthropic-organization-id", "scripted"),
        ("anthropic-ratelimit-requests-limit", "50"),
        ("anthropic-ratelimit-requests-remaining", "49"),
    ];

    private static string TypeOf(int status) => status switch
    {
        401 => "authentication_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        529 => "overloaded_error",
        < 500 => "invalid_request_error",
        _ => "api_error",
    };

    private static IEnumerable<string> ToolEvents(ScriptedAnswer answer)
    {
        if (answer.ToolCall is not { } call)
        {
            yield break;
        }

        var block = ToolUse(call.Name, new JsonObject());
        yield return Named("content_block_start", new JsonObject { ["index"] = 1, ["content_block"] = block });
        foreach (var half in Halves(call.Arguments))
        {
            yield return Delta(1, "input_json_delta", "partial_json", half);
        }

        yield return Named("content_block_stop", new JsonObject { ["index"] = 1 });
    }

    private static string Delta(int index, string type, string name, string value) => Named("content_block_delta", new JsonObject
    {
        ["index"] = index,
        ["delta"] = new JsonObject { ["type"] = type, [name] = value },
    });

    private static string Named(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        return Event(type, data);
    }

    private static JsonObject Message(Prompt prompt, JsonArray content, string? reason, JsonObject usage) => new()
    {
        ["id"] = prompt.Id("msg_"),
        ["type"] = "message",
        ["role"] = "assistant",
        ["model"] = prompt.Model,
        ["content"] = content,
        ["stop_reason"] = reason,
        ["stop_sequence"] = null,
        ["usage"] = usage,
    };

    private static JsonObject ToolUse(string name, JsonNode input) => new()
    {
        ["type"] = "tool_use",
        ["id"] = "toolu_1",
        ["name"] = name,
        ["input"] = input,
    };

    private static string Reason(ScriptedAnswer answer) => answer.ToolCall is null ? "end_turn" : "tool_use";

    private static JsonObject Usage(int input, int output) => new()
    {
        ["input_tokens"] = input,
        ["cache_creation_input_tokens"] = 0,
        ["cache_read_input_tokens"] = 0,
        ["output_tokens"] = output,
    };
}
