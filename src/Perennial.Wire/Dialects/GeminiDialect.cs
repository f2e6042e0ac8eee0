using System.Text.Json;

namespace Perennial;

/// <summary>Gemini's <c>streamGenerateContent</c>. Nothing marks the end but the end of the body after a reason to finish.</summary>
internal sealed class GeminiDialect() : Dialect("gemini")
{
    public override bool IsShownBy(in DialectMessage message) =>
        (DialectJson.MayHave(message.Data, "\"candidates\""u8) || DialectJson.MayHave(message.Data, "\"promptFeedback\""u8))
        && (DialectJson.MayHave(message.Data, "\"usageMetadata\""u8) || DialectJson.MayHave(message.Data, "\"modelVersion\""u8));

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"finishReason\""u8) && DialectJson.Has(message.Data, "candidates"u8, HasFinished) ? DialectSignal.MayBeLast
        : DialectJson.MayHave(message.Data, "\"blockReason\""u8) ? DialectSignal.MayBeLast
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    /// <summary>Whether a candidate has a <c>finishReason</c>; the name in a text of the model is none.</summary>
    private static bool HasFinished(ref Utf8JsonReader candidates)
    {
        var depth = candidates.CurrentDepth;
        while (candidates.Read() && candidates.CurrentDepth > depth)
        {
            if (candidates.TokenType == JsonTokenType.PropertyName && candidates.CurrentDepth == depth + 2 && candidates.ValueTextEquals("finishReason"u8))
            {
                return true;
            }
        }

        return false;
    }
}
