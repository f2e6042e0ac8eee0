namespace Perennial.Clients.Tests.Clients;

/// <summary>The clients from NuGet.</summary>
internal static class NuGetClients
{
    public static IEnumerable<OfficialClient> All { get; } =
    [
        new("OpenAI", "NuGet", ScriptedProvider.OpenAIChat, OpenAIClients.ChatAsync),
        new("OpenAI", "NuGet", ScriptedProvider.OpenAIResponses, OpenAIClients.ResponsesAsync),
        new("Microsoft.Extensions.AI.OpenAI", "NuGet", ScriptedProvider.OpenAIChat, MicrosoftClients.ChatAsync),
        new("Microsoft.Extensions.AI.OpenAI", "NuGet", ScriptedProvider.OpenAIResponses, MicrosoftClients.ResponsesAsync),
        new("Microsoft.Agents.AI", "NuGet", ScriptedProvider.OpenAIChat, MicrosoftClients.AgentAsync),
        new("Anthropic", "NuGet", ScriptedProvider.Anthropic, AnthropicClients.MessagesAsync),
        new("OllamaSharp", "NuGet", ScriptedProvider.Ollama, OllamaClients.ChatAsync),
        new("ModelContextProtocol", "NuGet", ScriptedProvider.Mcp, McpClients.CallToolAsync),
    ];
}
