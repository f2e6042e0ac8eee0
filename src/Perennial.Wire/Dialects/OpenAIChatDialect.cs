namespace Perennial;

/// <summary>Chat completions, of OpenAI and of the many servers that speak like it.</summary>
internal sealed class OpenAIChatDialect() : Dialect("openai-chat")
{
    public override bool IsShownBy(in DialectMessage message) => DialectJson.MayHave(message.Data, "\"chat.completion.chunk\""u8);

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.IsDone(message.Data) ? DialectSignal.EndMarker
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) => stream.IsComplete ? [] : [DialectWriter.Done];

    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
        [DialectWriter.Event(null, writer => DialectWriter.WriteOpenAIError(writer, message, code))];
}
