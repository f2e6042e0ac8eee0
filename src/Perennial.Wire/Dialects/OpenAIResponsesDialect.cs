using System.Text.Json;

namespace Perennial;

/// <summary>OpenAI's responses. Each event has the name that its data has as <c>type</c>.</summary>
internal sealed class OpenAIResponsesDialect() : Dialect("openai-responses")
{
    public override bool IsShownBy(in DialectMessage message) =>
        message.EventType is "response.created" or "response.queued" or "response.in_progress"
            && DialectJson.MayHave(message.Data, "\"sequence_number\""u8);

    public override DialectSignal Judge(in DialectMessage message) => message.EventType switch
    {
        "response.completed" or "response.incomplete" => DialectSignal.Last,
        "response.failed" or "error" => DialectSignal.Failed,
        _ => DialectSignal.None,
    };

    // The clients for .NET read the members at the top; the client for JavaScript throws only if there is a member "error".
    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code)
    {
        var number = DialectJson.ValueOf(stream.Newest.Data, "sequence_number"u8) is { ValueKind: JsonValueKind.Number } newest
            && newest.TryGetInt64(out var last)
            ? last + 1
            : 0;
        return [DialectWriter.Event("error", writer =>
        {
            writer.WriteString("type"u8, "error"u8);
            writer.WriteNumber("sequence_number"u8, number);
            writer.WriteString("code"u8, code);
            writer.WriteString("message"u8, message);
            writer.WriteNull("param"u8);
            DialectWriter.WriteOpenAIError(writer, message, code);
        })];
    }
}
