using System.Text;
using System.Text.Json;
using OllamaSharp;
using OllamaSharp.Models.Chat;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>The package OllamaSharp.</summary>
internal static class OllamaClients
{
    public static async Task<Reading> ChatAsync(Ask ask, CancellationToken cancellationToken)
    {
        using var client = new OllamaApiClient(ask.BaseAddress, "scripted");
        var request = new ChatRequest { Model = "scripted", Messages = [new Message(ChatRole.User, "Hi")], Stream = ask.IsStreamed };
        var text = new StringBuilder();
        var calls = new StringBuilder();
        string? usage = null;
        await foreach (var part in client.ChatAsync(request, cancellationToken))
        {
            ask.Progress();
            text.Append(part?.Message.Content);
            foreach (var call in part?.Message.ToolCalls ?? [])
            {
                calls.Append(Reading.Call(call.Function!.Name!, JsonSerializer.Serialize(call.Function.Arguments)));
            }

            usage = part is ChatDoneResponseStream done ? Reading.Tokens(done.PromptEvalCount, done.EvalCount) : usage;
        }

        return new Reading(text.ToString(), calls.ToString(), usage);
    }
}
