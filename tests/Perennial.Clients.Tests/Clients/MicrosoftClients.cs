using System.Text.Json;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>Microsoft.Extensions.AI.OpenAI, and Microsoft.Agents.AI on top of it.</summary>
internal static class MicrosoftClients
{
    public static Task<Reading> ChatAsync(Ask ask, CancellationToken cancellationToken) =>
        ReadAsync(OpenAIClients.Open(ask).GetChatClient("scripted").AsIChatClient(), ask, cancellationToken);

    public static Task<Reading> ResponsesAsync(Ask ask, CancellationToken cancellationToken) =>
        ReadAsync(OpenAIClients.Open(ask).GetResponsesClient().AsIChatClient("scripted"), ask, cancellationToken);

    public static async Task<Reading> AgentAsync(Ask ask, CancellationToken cancellationToken)
    {
        using var client = OpenAIClients.Open(ask).GetChatClient("scripted").AsIChatClient();
        var agent = new ChatClientAgent(client, new ChatClientAgentOptions { UseProvidedChatClientAsIs = true });
        if (!ask.IsStreamed)
        {
            return ReadingOf((await agent.RunAsync("Hi", cancellationToken: cancellationToken)).AsChatResponse());
        }

        var updates = new List<AgentResponseUpdate>();
        await foreach (var update in agent.RunStreamingAsync("Hi", cancellationToken: cancellationToken))
        {
            ask.Progress();
            updates.Add(update);
        }

        return ReadingOf(updates.ToAgentResponse().AsChatResponse());
    }

    private static async Task<Reading> ReadAsync(IChatClient client, Ask ask, CancellationToken cancellationToken)
    {
        using (client)
        {
            if (!ask.IsStreamed)
            {
                return ReadingOf(await client.GetResponseAsync("Hi", cancellationToken: cancellationToken));
            }

            var updates = new List<ChatResponseUpdate>();
            await foreach (var update in client.GetStreamingResponseAsync("Hi", cancellationToken: cancellationToken))
            {
                ask.Progress();
                updates.Add(update);
            }

            return ReadingOf(updates.ToChatResponse());
        }
    }

    private static Reading ReadingOf(ChatResponse answer)
    {
        var contents = answer.Messages.SelectMany(message => message.Contents).ToList();
        // An error of the Responses API is content; an application is told to look at it.
        if (contents.OfType<ErrorContent>().FirstOrDefault() is { } error)
        {
            throw new InvalidOperationException(error.Message);
        }

        var calls = contents.OfType<FunctionCallContent>()
            .Select(call => Reading.Call(call.Name, JsonSerializer.Serialize(call.Arguments)));
        var usage = answer.Usage is { } tokens ? Reading.Tokens(tokens.InputTokenCount, tokens.OutputTokenCount) : null;
        return new Reading(answer.Text, string.Concat(calls), usage);
    }
}
