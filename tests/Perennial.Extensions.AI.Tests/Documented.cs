using System.ClientModel;
using System.ClientModel.Primitives;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.AI;
using OpenAI;
using Perennial.AspNetCore;

namespace Perennial.Chats.Tests;

public static class Documented
{
    /// <summary>The server: the answer of any model as a run that outlives its connections.</summary>
    public static void MapChat(WebApplication app)
    {
        app.MapPerennial("/streams").AllowAnonymous();
        app.MapPost("/chat", (ChatRequest r, IChatClient chat, StreamRuns runs) => runs.Start(chat, r.Messages));
    }

    /// <summary>The client: reads an answer, and keeps a token after each update, from which any process can go on.</summary>
    public static async Task<string> AskAsync(Uri endpoint, string question, Action<byte[]> save)
    {
        using var chat = new PerennialChatClient(endpoint);
        var answer = "";
        await foreach (var update in chat.GetStreamingResponseAsync(question))
        {
            answer += update.Text;
            save(update.ContinuationToken!.ToBytes().ToArray());
        }

        return answer;
    }

    /// <summary>Another process: reads what follows the saved token. The model is not asked again.</summary>
    public static async Task<string> GoOnAsync(Uri endpoint, byte[] saved)
    {
        using var chat = new PerennialChatClient(endpoint);
        var rest = await chat.GetResponseAsync([], new ChatOptions { ContinuationToken = ResponseContinuationToken.FromBytes(saved) });
        return rest.Text;
    }

    /// <summary>The SDK of a provider, over a Perennial server or directly: only its HttpClient is made in another way.</summary>
    public static OpenAIClient Connect(Uri endpoint, string key)
    {
        var http = new HttpClient(new ResumableStreamHandler(new SocketsHttpHandler()));
        return new OpenAIClient(new ApiKeyCredential(key), new OpenAIClientOptions
        {
            Endpoint = endpoint,
            Transport = new HttpClientPipelineTransport(http),
        });
    }
}
