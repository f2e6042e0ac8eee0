using System.Text.Json;

namespace Perennial;

/// <summary>A2A 0.3: JSON-RPC results that have a <c>kind</c>.</summary>
internal sealed class A2ADialect() : Dialect("a2a")
{
    public override bool IsShownBy(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"jsonrpc\""u8)
            && DialectJson.MayHave(message.Data, "\"kind\""u8)
            && DialectJson.MayHave(message.Data, "\"contextId\""u8);

    public override DialectSignal Judge(in DialectMessage message) =>
        (DialectJson.MayHave(message.Data, "\"final\""u8) || DialectJson.MayHave(message.Data, "\"message\""u8))
            && DialectJson.Has(message.Data, "result"u8, IsLast)
            ? DialectSignal.Last
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    /// <summary>The error is the response to the request that all results name. Without a result the request is not known.</summary>
    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
        DialectJson.ValueOf(stream.First.Data, "id"u8) is { ValueKind: JsonValueKind.String or JsonValueKind.Number } id
            ? [DialectWriter.JsonRpcError(null, id, message, code)]
            : [];

    /// <summary>Whether a result is a status update that is final, or a message, which is an answer without a task.</summary>
    private static bool IsLast(ref Utf8JsonReader result)
    {
        var depth = result.CurrentDepth;
        while (result.Read() && result.CurrentDepth > depth)
        {
            if (result.TokenType != JsonTokenType.PropertyName || result.CurrentDepth != depth + 1)
            {
                continue;
            }

            var (isFinal, isKind) = (result.ValueTextEquals("final"u8), result.ValueTextEquals("kind"u8));
            result.Read();
            if ((isFinal && result.TokenType == JsonTokenType.True)
                || (isKind && result.TokenType == JsonTokenType.String && result.ValueTextEquals("message"u8)))
            {
                return true;
            }

            result.Skip();
        }

        return false;
    }
}
