namespace Perennial;

/// <summary>Anthropic's messages. Each event has a name; <c>ping</c> is a heartbeat.</summary>
internal sealed class AnthropicDialect() : Dialect("anthropic")
{
    public override bool IsShownBy(in DialectMessage message) =>
        message.EventType is "message_start" && DialectJson.MayHave(message.Data, "\"message_start\""u8);

    public override DialectSignal Judge(in DialectMessage message) => message.EventType switch
    {
        "message_stop" => DialectSignal.Last,
        "error" => DialectSignal.Failed,
        _ => DialectSignal.None,
    };
}
