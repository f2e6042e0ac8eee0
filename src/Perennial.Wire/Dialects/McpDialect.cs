using System.Text.Json;

namespace Perennial;

/// <summary>
/// MCP's streamable HTTP (2025-11-25): the answer to a POST is a stream of JSON-RPC 2.0 messages, of which the response is the last. A stream that
/// a GET opened has no end of its own. A server makes up neither an end nor an error: both name the request, and nothing before them does.
/// </summary>
internal sealed class McpDialect() : Dialect("mcp")
{
    public override bool IsAnnouncedBy(HttpResponseMessage response) =>
        response.RequestMessage is { } request && request.Method == HttpMethod.Post
        && (response.Headers.NonValidated.Contains("mcp-session-id") || request.Headers.NonValidated.Contains("mcp-protocol-version"));

    public override DialectSignal Judge(in DialectMessage message) =>
        DialectJson.MayHave(message.Data, "\"result\""u8) && DialectJson.Has(message.Data, "result"u8, static (ref Utf8JsonReader _) => true) ? DialectSignal.Last
        : DialectJson.HasError(message.Data) ? DialectSignal.Failed
        : DialectSignal.None;
}
