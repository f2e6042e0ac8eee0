using System.Text.Json;

namespace Perennial;

/// <summary>Ollama's JSON lines.</summary>
internal sealed class OllamaDialect() : Dialect("ollama")
{
    public override DialectFraming Framing => DialectFraming.JsonLines;

    public override bool IsShownBy(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"model\""u8)
            && DialectJson.MayHave(message.Data, "\"created_at\""u8)
            && DialectJson.MayHave(message.Data, "\"done\""u8);

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "true"u8)
            && DialectJson.Has(message.Data, "done"u8, static (ref Utf8JsonReader value) => value.TokenType == JsonTokenType.True)
            ? DialectSignal.Last
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    // Its end cannot be made up: it has the name of the model and the counts.
    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
    [
        DialectWriter.Event(null, writer =>
        {
            writer.WriteString("error"u8, message);
            writer.WriteString("code"u8, code);
        }),
    ];
}
