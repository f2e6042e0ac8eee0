using System.Collections.Frozen;
using System.Text.Json;

namespace Perennial;

/// <summary>Gemini's <c>streamGenerateContent</c>. Nothing marks the end but the end of the body after a reason to finish.</summary>
internal sealed class GeminiDialect() : Dialect("gemini")
{
    private const int InternalStatus = 500;

    /// <summary>The codes of google.rpc.Code that an application may distinguish, with their HTTP status.</summary>
    private static readonly FrozenDictionary<string, int> HttpStatusOf = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["INVALID_ARGUMENT"] = 400, ["FAILED_PRECONDITION"] = 400, ["UNAUTHENTICATED"] = 401, ["PERMISSION_DENIED"] = 403, ["NOT_FOUND"] = 404,
        ["ABORTED"] = 409, ["RESOURCE_EXHAUSTED"] = 429, ["CANCELLED"] = 499, ["INTERNAL"] = InternalStatus, ["UNAVAILABLE"] = 503,
        ["DEADLINE_EXCEEDED"] = 504,
    }.ToFrozenDictionary();

    // Google's client reads only blocks that begin with "data:".
    public override DialectFraming Framing => DialectFraming.ServerSentEventsThenIds;

    public override bool IsShownBy(in DialectMessage message) =>
        (DialectJson.MayHave(message.Data, "\"candidates\""u8) || DialectJson.MayHave(message.Data, "\"promptFeedback\""u8))
        && (DialectJson.MayHave(message.Data, "\"usageMetadata\""u8) || DialectJson.MayHave(message.Data, "\"modelVersion\""u8));

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"finishReason\""u8)
            && DialectJson.Has(message.Data, "candidates"u8, HasFinished) ? DialectSignal.MayBeLast
        : DialectJson.MayHave(message.Data, "\"blockReason\""u8) ? DialectSignal.MayBeLast
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    /// <summary>
    /// A JSON document that is no event, as Google sends it, and then the same as an event. Clients see the document only if they get it
    /// apart from other bytes, which no server can promise, and newer ones see the event, too.
    /// </summary>
    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code)
    {
        var error = ErrorOf(message, code);
        return [error with { Data = (byte[])[.. error.Data.Span, .. "\n\n"u8], IsBare = true }, error];
    }

    /// <summary>An error. A code that Google does not use is the reason of an <c>ErrorInfo</c>.</summary>
    private static DialectEvent ErrorOf(string message, string code)
    {
        var isGoogles = HttpStatusOf.TryGetValue(code, out var status);
        return DialectWriter.Event(null, writer =>
        {
            writer.WriteStartObject("error"u8);
            writer.WriteNumber("code"u8, isGoogles ? status : InternalStatus);
            writer.WriteString("message"u8, message);
            writer.WriteString("status"u8, isGoogles ? code : "INTERNAL");
            if (!isGoogles)
            {
                writer.WriteStartArray("details"u8);
                writer.WriteStartObject();
                writer.WriteString("@type"u8, "type.googleapis.com/google.rpc.ErrorInfo"u8);
                writer.WriteString("reason"u8, code);
                writer.WriteEndObject();
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
    }

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
