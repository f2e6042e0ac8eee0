using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Perennial.Testing.Providers;

namespace Perennial.Testing;

/// <summary>
/// An AI provider whose answers are scripted: what it answers, in which format, and how the answer goes wrong. <see cref="Start"/>
/// serves it on 127.0.0.1, and both the official clients and Perennial's read it. Immutable; each method returns a changed copy.
/// </summary>
/// <remarks>
/// By default the answer is a short text, whole. An answer has one ending: the last of <see cref="CutAfter"/>, <see cref="CutInside"/>,
/// <see cref="ResetAfter"/>, <see cref="ResetUnanswered"/>, <see cref="FailAfter"/> and <see cref="Refuse"/> counts. A stall can be
/// combined with each of them. Events are counted as they are on the wire: server-sent events, or lines for Ollama. Where a request asks
/// for no stream, a cut, a reset or a stall comes after half of the body, and an error is answered with status 500.
/// </remarks>
/// <example>
/// <code>
/// await using var provider = ScriptedProvider.Anthropic.CutAfter(5).Start();
/// await using var transport = new SseTransport(new SseTransportOptions
/// {
///     Endpoint = provider.Endpoint,
///     Body = RequestBody.Text(provider.SampleRequest),
/// });
/// …
/// (await transport.Completion).Reason.ShouldBe(StreamEndReason.Interrupted);
/// provider.Prompts.Count.ShouldBe(1);                                // and it was paid once
/// </code>
/// </example>
public sealed record ScriptedProvider
{
    private ScriptedProvider(ProviderFormat format) => Format = format;

    /// <summary>
    /// Gets OpenAI's chat completions (<c>POST …/chat/completions</c>). The usage is sent where the request asks for it.
    /// </summary>
    public static ScriptedProvider OpenAIChat { get; } = new(new OpenAIChatFormat());

    /// <summary>Gets OpenAI's responses (<c>POST …/responses</c>).</summary>
    public static ScriptedProvider OpenAIResponses { get; } = new(new OpenAIResponsesFormat());

    /// <summary>Gets Anthropic's messages (<c>POST …/messages</c>).</summary>
    public static ScriptedProvider Anthropic { get; } = new(new AnthropicFormat());

    /// <summary>Gets Ollama (<c>POST …/api/chat</c> and <c>/api/generate</c>). Its errors have no code.</summary>
    public static ScriptedProvider Ollama { get; } = new(new OllamaFormat());

    /// <summary>
    /// Gets Gemini (<c>POST …:streamGenerateContent</c> and <c>:generateContent</c>). Its error in a stream is a JSON document, not an
    /// event.
    /// </summary>
    public static ScriptedProvider Gemini { get; } = new(new GeminiFormat());

    /// <summary>Gets UI messages of the AI SDK, in answer to each POST; a GET is answered with 204.</summary>
    public static ScriptedProvider AISdk { get; } = new(new AISdkFormat());

    /// <summary>Gets AG-UI, in answer to each POST.</summary>
    public static ScriptedProvider AGUI { get; } = new(new AGUIFormat());

    /// <summary>Gets MCP's streamable HTTP: a server with one tool, <c>ask</c>, whose call is the prompt.</summary>
    public static ScriptedProvider Mcp { get; } = new(new McpFormat());

    /// <summary>Gets A2A 0.3 over JSON-RPC: an agent with a card, and <c>message/stream</c> and <c>message/send</c> as prompts.</summary>
    public static ScriptedProvider A2A { get; } = new(new A2AFormat());

    /// <summary>Gets all of them.</summary>
    public static IReadOnlyList<ScriptedProvider> All { get; } =
        [OpenAIChat, OpenAIResponses, Anthropic, Ollama, Gemini, AISdk, AGUI, Mcp, A2A];

    /// <summary>Gets the format.</summary>
    public Dialect Dialect => Format.Dialect;

    /// <summary>Gets the text of the answer.</summary>
    public string Text => Answer.Text;

    /// <summary>Gets the number of events of a whole answer. A chunk with the usage that a request asks for is not counted.</summary>
    public int EventCount => Format.Events(Answer, Prompt.Plain).Count();

    internal ProviderFormat Format { get; }

    internal ScriptedAnswer Answer { get; private init; } = new();

    internal AnswerEnding Ending { get; private init; } = AnswerEnding.Whole;

    internal bool HasEventIds { get; private init; }

    /// <summary>The number of events before the stall; -1: before the head; null: none.</summary>
    internal int? StallsAfter { get; private init; }

    internal ImmutableArray<(string Name, string Value)> Headers { get; private init; } = [];

    /// <summary>Answers with this text, in these pieces.</summary>
    /// <param name="deltas">The pieces. None: no text.</param>
    public ScriptedProvider WithText(params string[] deltas)
    {
        ArgumentNullException.ThrowIfNull(deltas);
        return this with { Answer = Answer with { Deltas = [.. deltas] } };
    }

    /// <summary>Answers with a text of so many pieces: <c>t0 </c>, <c>t1 </c> and so on.</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is negative.</exception>
    public ScriptedProvider WithDeltas(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        return this with { Answer = Answer with { Deltas = ScriptedAnswer.NumberedDeltas(count) } };
    }

    /// <summary>Lets the model call a tool after its text.</summary>
    /// <param name="name">The tool.</param>
    /// <param name="argumentsJson">The arguments: a JSON object.</param>
    /// <exception cref="ArgumentException">The arguments are no JSON object.</exception>
    /// <exception cref="InvalidOperationException">There are no tool calls of a model in MCP and A2A.</exception>
    public ScriptedProvider WithToolCall(string name, string argumentsJson)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        if (!Format.HasToolCalls)
        {
            throw new InvalidOperationException($"In {Dialect} the answer has no tool calls.");
        }

        try
        {
            using var arguments = JsonDocument.Parse(argumentsJson);
            return arguments.RootElement.ValueKind == JsonValueKind.Object
                ? this with { Answer = Answer with { ToolCall = (name, argumentsJson) } }
                : throw new ArgumentException($"'{argumentsJson}' is not a JSON object.", nameof(argumentsJson));
        }
        catch (JsonException e)
        {
            throw new ArgumentException($"'{argumentsJson}' is not a JSON object.", nameof(argumentsJson), e);
        }
    }

    /// <summary>Reports this usage. The default is 9 tokens for the prompt and one for each piece of the text.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A number is negative.</exception>
    public ScriptedProvider WithUsage(int inputTokens, int outputTokens)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(inputTokens);
        ArgumentOutOfRangeException.ThrowIfNegative(outputTokens);
        return this with { Answer = Answer with { InputTokens = inputTokens, CountedOutputTokens = outputTokens } };
    }

    /// <summary>Sends a header with each answer. It replaces one of the same name that the provider sends by itself.</summary>
    /// <param name="name">The name, such as <c>x-request-id</c>.</param>
    /// <param name="value">The value.</param>
    public ScriptedProvider WithHeader(string name, string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ArgumentNullException.ThrowIfNull(value);
        return this with { Headers = Headers.Add((name, value)) };
    }

    /// <summary>
    /// Gives each event an id. A GET with the id as <c>Last-Event-ID</c> is answered with the events after it, to the end of the answer, as
    /// MCP servers with a store of events do.
    /// </summary>
    /// <exception cref="InvalidOperationException">The format is not MCP: in no other format clients go on in that way.</exception>
    public ScriptedProvider WithEventIds() => Format.HasEventIds
        ? this with { HasEventIds = true }
        : throw new InvalidOperationException($"In {Dialect} events have no ids.");

    /// <summary>Ends the body in good order after so many events, in the middle of the answer.</summary>
    /// <param name="events">From 0 to <see cref="EventCount"/> - 1.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="events"/> is negative.</exception>
    public ScriptedProvider CutAfter(int events) => EndsBy(EndingKind.Cut, events);

    /// <summary>Ends the body in good order in the middle of the event that follows so many events.</summary>
    /// <inheritdoc cref="CutAfter"/>
    public ScriptedProvider CutInside(int events) => EndsBy(EndingKind.CutInside, events);

    /// <summary>
    /// Resets the TCP connection after so many events, which the client can still read (on Linux; see <see cref="CutMode.Reset"/>).
    /// </summary>
    /// <param name="events">From 0, which is after the head, to <see cref="EventCount"/>, which is before the end of the body.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="events"/> is negative.</exception>
    public ScriptedProvider ResetAfter(int events) => EndsBy(EndingKind.Reset, events);

    /// <summary>Resets the TCP connection without an answer. The prompt is counted: a provider may have worked on it.</summary>
    public ScriptedProvider ResetUnanswered() => EndsBy(EndingKind.ResetUnanswered, 0);

    /// <summary>Sends the format's own error after so many events, and then ends the body.</summary>
    /// <param name="events">From 0 to <see cref="EventCount"/> - 1.</param>
    /// <param name="code">The provider's code, a whole number for MCP and A2A. Null: one that is usual in the format.</param>
    /// <param name="message">The message for a person.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="events"/> is negative.</exception>
    /// <exception cref="ArgumentException">The format is MCP or A2A, and the code is not a whole number.</exception>
    public ScriptedProvider FailAfter(int events, string? code = null, string? message = null)
    {
        var failing = EndsBy(EndingKind.Fail, events);
        return failing with { Ending = failing.Ending with { Error = ErrorOf(code, message) } };
    }

    /// <summary>Refuses the prompt with a status and the provider's error body. It is not counted as paid.</summary>
    /// <param name="status">The status, from 400 to 599.</param>
    /// <param name="code">The provider's code, a whole number for MCP and A2A. Null: one that is usual in the format.</param>
    /// <param name="message">The message for a person.</param>
    /// <param name="headers">Headers such as <c>Retry-After</c>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The status is out of range.</exception>
    /// <exception cref="ArgumentException">The format is MCP or A2A, and the code is not a whole number.</exception>
    public ScriptedProvider Refuse(int status, string? code = null, string? message = null, params (string Name, string Value)[] headers)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(status, 400);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(status, 599);
        var ending = new AnswerEnding(EndingKind.Refuse) { Status = status, Error = ErrorOf(code, message), Headers = headers };
        return this with { Ending = ending };
    }

    /// <summary>
    /// Sends nothing more after so many events, until <see cref="ProviderServer.ResumeAll"/> is called. Then the answer goes on.
    /// </summary>
    /// <param name="events">From 0, which is after the head, to <see cref="EventCount"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="events"/> is negative.</exception>
    public ScriptedProvider StallAfter(int events)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(events);
        return this with { StallsAfter = events };
    }

    /// <summary>Sends nothing at all, not even a status, until <see cref="ProviderServer.ResumeAll"/> is called.</summary>
    public ScriptedProvider StallUnanswered() => this with { StallsAfter = -1 };

    /// <summary>Serves this script. Dispose of the server when the test ends.</summary>
    /// <exception cref="InvalidOperationException">A fault comes after more events than the answer has.</exception>
    public ProviderServer Start() => ProviderServer.Start(this);

    /// <exception cref="InvalidOperationException">A fault comes after more events than the answer has.</exception>
    internal void Check()
    {
        var count = EventCount;
        var last = Ending.Kind is EndingKind.Cut or EndingKind.CutInside or EndingKind.Fail ? count - 1 : count;
        if (Ending.After > last || StallsAfter > count)
        {
            throw new InvalidOperationException(
                $"The answer of {Dialect} has {count} events. "
                + $"A cut or an error can come after 0 to {count - 1} of them, a reset or a stall after 0 to {count}.");
        }
    }

    private ScriptedProvider EndsBy(EndingKind kind, int events)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(events);
        return this with { Ending = new AnswerEnding(kind, events) };
    }

    private ProviderError ErrorOf(string? code, string? message) =>
        code is null || !Format.HasNumericCodes || int.TryParse(code, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _)
            ? new ProviderError(code, message)
            : throw new ArgumentException($"A code of {Dialect} is a whole number, not '{code}'.", nameof(code));
}
