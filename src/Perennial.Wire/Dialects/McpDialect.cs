using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace Perennial;

/// <summary>
/// MCP's streamable HTTP (2025-11-25): the answer to a POST is a stream of JSON-RPC 2.0 messages, of which the response is the last. A
/// stream that a GET opened has no end of its own. An error names the request, and nothing before the response does: it must be known
/// beforehand.
/// </summary>
internal sealed class McpDialect : Dialect
{
    private const string DialectName = "mcp";
    private const string NamePrefix = DialectName + ":";

    private readonly JsonElement? _requestId;

    public McpDialect()
        : base(DialectName)
    {
    }

    /// <summary>The answer to one request, whose id is part of the name, because a store keeps only the name.</summary>
    public McpDialect(JsonElement requestId)
        : base(NamePrefix + requestId.GetRawText()) => _requestId = requestId.Clone();

    /// <summary>Reads the name of the answer to one request.</summary>
    public static bool TryParse(string name, [NotNullWhen(true)] out Dialect? dialect)
    {
        dialect = name.StartsWith(NamePrefix, StringComparison.Ordinal) && IdIn(name[NamePrefix.Length..]) is { } id
            ? new McpDialect(id)
            : null;
        return dialect is not null;
    }

    /// <summary>Whether a value can be the id of a request: a text or a number (JSON-RPC 2.0, section 4; MCP allows no null).</summary>
    public static bool IsId(JsonElement value) => value.ValueKind is JsonValueKind.String or JsonValueKind.Number;

    public override bool IsAnnouncedBy(HttpResponseMessage response) =>
        response.RequestMessage is { } request && request.Method == HttpMethod.Post
        && (response.Headers.NonValidated.Contains("mcp-session-id") || request.Headers.NonValidated.Contains("mcp-protocol-version"));

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"result\""u8)
            && DialectJson.Has(message.Data, "result"u8, static (ref Utf8JsonReader _) => true) ? DialectSignal.Last
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;

    public override IReadOnlyList<DialectEvent> SpellFailure(in DialectProgress stream, string message, string code) =>
        _requestId is { } id ? [DialectWriter.JsonRpcError("message", id, message, code)] : [];

    public override bool Equals(object? obj) => obj is McpDialect other && string.Equals(Name, other.Name, StringComparison.Ordinal);

    public override int GetHashCode() => StringComparer.Ordinal.GetHashCode(Name);

    private static JsonElement? IdIn(string json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            return IsId(document.RootElement) ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
