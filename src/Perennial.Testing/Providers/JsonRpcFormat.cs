using System.Globalization;
using System.Text.Json.Nodes;

namespace Perennial.Testing.Providers;

/// <summary>What both formats on top of JSON-RPC 2.0 have in common.</summary>
internal abstract class JsonRpcFormat(Dialect dialect) : ProviderFormat(dialect)
{
    private const int InternalError = -32603;
    private const int MethodNotFound = -32601;

    public override bool HasToolCalls => false;

    public override bool HasNumericCodes => true;

    public override string ErrorEvent(ProviderError error, Prompt prompt, int index) => Event(ErrorBody(500, error, prompt));

    public override JsonNode ErrorBody(int status, ProviderError error, Prompt prompt) => Error(prompt, CodeOf(error), error.Text);

    /// <summary>Answers a method that the server does not know.</summary>
    protected static PlainAnswer Unknown(Prompt prompt) => new(200, Error(prompt, MethodNotFound, "Method not found"));

    protected static JsonObject Result(Prompt prompt, JsonNode result) => new()
    {
        ["jsonrpc"] = "2.0",
        ["id"] = prompt.RpcId,
        ["result"] = result,
    };

    protected static JsonObject Usage(ScriptedAnswer answer) => new()
    {
        ["inputTokens"] = answer.InputTokens,
        ["outputTokens"] = answer.OutputTokens,
    };

    private static JsonObject Error(Prompt prompt, int code, string message) => new()
    {
        ["jsonrpc"] = "2.0",
        ["id"] = prompt.RpcId,
        ["error"] = new JsonObject { ["code"] = code, ["message"] = message },
    };

    private static int CodeOf(ProviderError error) =>
        error.Code is { } code ? int.Parse(code, CultureInfo.InvariantCulture) : InternalError;
}
