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

    public override IReadOnlyList<DialectEvent>? SpellEnd(in DialectProgress stream) =>
        stream.IsComplete ? [] : [DialectWriter.OfType("message_stop", eventType: "message_stop")];

    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
    [
        DialectWriter.Event("error", writer =>
        {
            writer.WriteString("type"u8, "error"u8);
            writer.WriteStartObject("error"u8);
            writer.WriteString("type"u8, code);
            writer.WriteString("message"u8, message);
            writer.WriteEndObject();
        }),
    ];
}
