using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Perennial;

/// <summary>The streaming formats of AI providers that Perennial knows. Thread safe.</summary>
public static class Dialects
{
    /// <summary>Gets the choice to recognize one of <see cref="Known"/> from the response and its first three messages.</summary>
    public static Dialect Recognized { get; } = new Choice("recognized");

    /// <summary>Gets the choice to treat a stream as having none of these formats.</summary>
    public static Dialect None { get; } = new Choice("none");

    /// <summary>Gets the format of OpenAI's chat completions: <c>data: [DONE]</c> is the end.</summary>
    public static Dialect OpenAIChat { get; } = new OpenAIChatDialect();

    /// <summary>Gets the format of OpenAI's responses: <c>response.completed</c> or <c>response.incomplete</c> is the end.</summary>
    public static Dialect OpenAIResponses { get; } = new OpenAIResponsesDialect();

    /// <summary>Gets the format of Anthropic's messages: <c>message_stop</c> is the end.</summary>
    public static Dialect Anthropic { get; } = new AnthropicDialect();

    /// <summary>Gets the format of Ollama: a line with <c>"done":true</c> is the end.</summary>
    public static Dialect Ollama { get; } = new OllamaDialect();

    /// <summary>Gets the format of Gemini: the body ends after a candidate with <c>finishReason</c>.</summary>
    public static Dialect Gemini { get; } = new GeminiDialect();

    /// <summary>Gets the format of the AI SDK's UI messages: <c>finish</c> or <c>abort</c>, then <c>data: [DONE]</c>.</summary>
    public static Dialect AISdk { get; } = new AISdkDialect();

    /// <summary>Gets the format of AG-UI: <c>RUN_FINISHED</c> is the end.</summary>
    public static Dialect AGUI { get; } = new AGUIDialect();

    /// <summary>Gets the format of MCP's streamable HTTP: the JSON-RPC response to the request is the end.</summary>
    public static Dialect Mcp { get; } = new McpDialect();

    /// <summary>
    /// Returns the format of MCP's streamable HTTP for the answer to one request. With it a server can tell a client that the answer
    /// failed.
    /// </summary>
    /// <param name="requestId">The <c>id</c> of the JSON-RPC request: a string or a number. It is part of the name.</param>
    /// <exception cref="ArgumentException"><paramref name="requestId"/> is neither.</exception>
    public static Dialect McpAnswerTo(JsonElement requestId) => McpDialect.IsId(requestId)
        ? new McpDialect(requestId)
        : throw new ArgumentException(
            $"The id of a JSON-RPC request must be a string or a number, not {requestId.ValueKind}.", nameof(requestId));

    /// <summary>Gets the format of A2A: a status update with <c>"final":true</c> is the end.</summary>
    public static Dialect A2A { get; } = new A2ADialect();

    /// <summary>Gets the formats that <see cref="Recognized"/> chooses from.</summary>
    public static IReadOnlyList<Dialect> Known { get; } = [OpenAIChat, OpenAIResponses, Anthropic, Ollama, Gemini, AISdk, AGUI, Mcp, A2A];

    /// <summary>Gets the formats and the two choices.</summary>
    internal static IEnumerable<Dialect> All => [.. Known, Recognized, None];

    /// <summary>Finds a format or a choice by its name.</summary>
    /// <param name="name">
    /// The name, such as <c>openai-chat</c>, <c>mcp:7</c> (<see cref="McpAnswerTo"/>), <c>recognized</c> or <c>none</c>.
    /// </param>
    /// <param name="dialect">The format, or <see langword="null"/> if there is none of that name.</param>
    public static bool TryGet(string name, [NotNullWhen(true)] out Dialect? dialect)
    {
        dialect = All.FirstOrDefault(known => string.Equals(known.Name, name, StringComparison.Ordinal));
        return dialect is not null || McpDialect.TryParse(name, out dialect);
    }

    private sealed class Choice(string name) : Dialect(name)
    {
        public override DialectSignal Judge(in DialectMessage message) => DialectSignal.None;
    }
}
