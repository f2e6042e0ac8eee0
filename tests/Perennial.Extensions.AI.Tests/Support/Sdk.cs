using System.ClientModel;
using System.ClientModel.Primitives;
using Anthropic;
using Microsoft.Extensions.AI;
using OllamaSharp;
using OpenAI;
using Perennial.Testing;

namespace Perennial.Chats.Tests.Support;

/// <summary>The official clients of AI providers, each as it is used with Microsoft.Extensions.AI.</summary>
internal static class Sdk
{
    /// <summary>The names that <see cref="Chat"/> and <see cref="Provider"/> know.</summary>
    public static TheoryData<string> Names => ["openai-chat", "openai-responses", "anthropic", "ollama"];

    public static ScriptedProvider Provider(string name) => name switch
    {
        "openai-chat" => ScriptedProvider.OpenAIChat,
        "openai-responses" => ScriptedProvider.OpenAIResponses,
        "anthropic" => ScriptedProvider.Anthropic,
        _ => ScriptedProvider.Ollama,
    };

    /// <summary>Creates a client with the SDK's default retries.</summary>
    /// <param name="name">The provider.</param>
    /// <param name="address">What the SDK takes as its base URL.</param>
    /// <param name="handler">The handler of its HttpClient.</param>
    public static IChatClient Chat(string name, Uri address, HttpMessageHandler handler)
    {
        var http = new HttpClient(handler, disposeHandler: false);
        switch (name)
        {
            case "openai-chat":
                return OpenAI(address, http).GetChatClient("model").AsIChatClient();
            case "openai-responses":
                return OpenAI(address, http).GetResponsesClient().AsIChatClient("model");
            case "anthropic":
                return new AnthropicClient { BaseUrl = address.ToString().TrimEnd('/'), ApiKey = "key", HttpClient = http }.AsIChatClient("model");
            default:
                http.BaseAddress = address;
                return new OllamaApiClient(http, "model");
        }
    }

    private static OpenAIClient OpenAI(Uri address, HttpClient http) =>
        new(new ApiKeyCredential("key"), new OpenAIClientOptions { Endpoint = address, Transport = new HttpClientPipelineTransport(http) });
}
