using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>OpenAI's chat completions.</summary>
internal sealed class OpenAIChatFormat() : ProviderFormat(Dialects.OpenAIChat)
{
    public override string ContentType => "text/event-stream; charset=utf-8";

    public override string BasePath => "v1";

    public override string PromptPath => "v1/chat/completions";

    public override string SampleRequest => """{"model":"scripted","messages":[{"role":"user","content":"Hi"}],"stream":true}""";

    public override bool IsPrompt(Prompt request) => PathEndsWith(request, "/chat/completions");

    public override bool IsStreamed(Prompt prompt) => prompt.Flag("stream") == true;

    public override IEnumerable<string> Events(ScriptedAnswer answer, Prompt prompt)
    {
        yield return Chunk(prompt, new JsonObject { ["role"] = "assistant", ["content"] = "", ["refusal"] = null });
        foreach (var delta in answer.Deltas)
        {
            yield return Chunk(prompt, new JsonObject { ["content"] = delta });
        }

        if (answer.ToolCall is { } call)
        {
            yield return Chunk(prompt, new JsonObject { ["tool_calls"] = new JsonArray(ToolCall(call.Name, "", index: 0)) });
            foreach (var half in Halves(call.Arguments))
            {
                var piece = new JsonObject { ["index"] = 0, ["function"] = new JsonObject { ["arguments"] = half } };
                yield return Chunk(prompt, new JsonObject { ["tool_calls"] = new JsonArray(piece) });
            }
        }

        yield return Chunk(prompt, [], Reason(answer));
        if (prompt.AsksForUsage)
        {
            var usage = Head(prompt, "chat.completion.chunk");
            usage["choices"] = new JsonArray();
            usage["usage"] = Usage(answer);
            yield return Event(usage);
        }

        yield return "data: [DONE]\n\n";
    }

    public override JsonNode Document(ScriptedAnswer answer, Prompt prompt)
    {
        var message = new JsonObject { ["role"] = "assistant", ["content"] = answer.Text, ["refusal"] = null };
        if (answer.ToolCall is { } call)
        {
            message["tool_calls"] = new JsonArray(ToolCall(call.Name, call.Arguments, index: null));
        }

        var document = Head(prompt, "chat.completion");
        document["choices"] = new JsonArray(new JsonObject
        {
            ["index"] = 0,
            ["message"] = message,
            ["logprobs"] = null,
            ["finish_reason"] = Reason(answer),
        });
        document["usage"] = Usage(answer);
        return document;
    }

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Event(ErrorBody(500, error, prompt));

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => Error(status, error);

    public override IEnumerable<(string Name, string Value)> Headers(Prompt prompt) => HeadersOf(prompt);

    /// <summary>An error as both of OpenAI's formats have it.</summary>
    public static JsonObject Error(int status, ProviderError error) => new()
    {
        ["error"] = new JsonObject
        {
            ["message"] = error.Text,
            ["type"] = status < 500 ? "invalid_request_error" : "server_error",
            ["param"] = null,
            ["code"] = error.Code ?? CodeOf(status),
        },
    };

    /// <summary>Headers of both of OpenAI's formats.</summary>
    public static IEnumerable<(string Name, string Value)> HeadersOf(Prompt prompt) =>
    [
        ("x-request-id", prompt.Id("req_")),
        ("openai-version", "2020-10-01"),
        ("openai-processing-ms", "42"),
        ("x-ratelimit-limit-requests", "10000"),
        ("x-ratelimit-remaining-requests", "9999"),
    ];

    private static string CodeOf(int status) => status switch
    {
        401 => "invalid_api_key",
        404 => "model_not_found",
        429 => "rate_limit_exceeded",
        < 500 => "invalid_request_error",
        _ => "server_error",
    };

    private static string Chunk(Prompt prompt, JsonObject delta, string? reason = null)
    {
        var chunk = Head(prompt, "chat.completion.chunk");
        var choice = new JsonObject { ["index"] = 0, ["delta"] = delta, ["logprobs"] = null, ["finish_reason"] = reason };
        chunk["choices"] = new JsonArray(choice);
        return Event(chunk);
    }

    private static JsonObject Head(Prompt prompt, string type) => new()
    {
        ["id"] = prompt.Id("chatcmpl-"),
        ["object"] = type,
        ["created"] = Created,
        ["model"] = prompt.Model,
        ["service_tier"] = "default",
        ["system_fingerprint"] = "fp_scripted",
    };

    private static JsonObject ToolCall(string name, string arguments, int? index)
    {
        var call = new JsonObject
        {
            ["id"] = "call_1",
            ["type"] = "function",
            ["function"] = new JsonObject { ["name"] = name, ["arguments"] = arguments },
        };
        if (index is { } position)
        {
            call.Insert(0, "index", position);
        }

        return call;
    }

    private static string Reason(ScriptedAnswer answer) => answer.ToolCall is null ? "stop" : "tool_calls";

    private static JsonObject Usage(ScriptedAnswer answer) => new()
    {
        ["prompt_tokens"] = answer.InputTokens,
        ["completion_tokens"] = answer.OutputTokens,
        ["total_tokens"] = answer.TotalTokens,
    };
}
