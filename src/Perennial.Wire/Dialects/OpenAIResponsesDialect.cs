namespace Perennial;

/// <summary>OpenAI's responses. Each event has the name that its data has as <c>type</c>.</summary>
internal sealed class OpenAIResponsesDialect() : Dialect("openai-responses")
{
    public override bool IsShownBy(in DialectMessage message) =>
        message.EventType is "response.created" or "response.queued" or "response.in_progress" && DialectJson.MayHave(message.Data, "\"sequence_number\""u8);

    public override DialectSignal Judge(in DialectMessage message) => message.EventType switch
    {
        "response.completed" or "response.incomplete" => DialectSignal.Last,
        "response.failed" or "error" => DialectSignal.Failed,
        _ => DialectSignal.None,
    };
}
