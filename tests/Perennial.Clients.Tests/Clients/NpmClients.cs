namespace Perennial.Clients.Tests.Clients;

/// <summary>The clients from npm.</summary>
internal static class NpmClients
{
    public static IEnumerable<OfficialClient> All { get; } =
    [
        Client("openai", "openai-chat", ScriptedProvider.OpenAIChat),
        Client("openai", "openai-responses", ScriptedProvider.OpenAIResponses),
        Client("@anthropic-ai/sdk", "anthropic", ScriptedProvider.Anthropic),
        Client("ollama", "ollama", ScriptedProvider.Ollama),
        Client("@google/genai", "gemini", ScriptedProvider.Gemini),
        Client("ai", "ai-sdk", ScriptedProvider.AISdk),
        Client("@ag-ui/client", "ag-ui", ScriptedProvider.AGUI),
        Client("@modelcontextprotocol/sdk", "mcp", ScriptedProvider.Mcp),
        Client("@a2a-js/sdk", "a2a", ScriptedProvider.A2A),
    ];

    /// <summary>A client that <c>host.js</c> knows by the name of its dialect.</summary>
    private static OfficialClient Client(string package, string command, ScriptedProvider provider) =>
        new(package, "npm", provider, (ask, cancellationToken) => ask.Node.ReadAsync(command, ask, cancellationToken));
}
