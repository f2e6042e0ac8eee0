using System.Text;
using System.Text.Json;
using Anthropic;
using Anthropic.Core;
using Anthropic.Models.Messages;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>The package Anthropic.</summary>
internal static class AnthropicClients
{
    public static async Task<Reading> MessagesAsync(Ask ask, CancellationToken cancellationToken)
    {
        using var client = new AnthropicClient(new ClientOptions { BaseUrl = ask.BaseAddress.ToString(), ApiKey = "test" });
        var request = new MessageCreateParams
        {
            Model = "scripted",
            MaxTokens = 100,
            Messages = [new UserMessageParam("Hi")],
        };
        return ask.IsStreamed
            ? await StreamAsync(client, request, ask, cancellationToken)
            : ReadingOf(await client.Messages.Create(request, cancellationToken));
    }

    private static async Task<Reading> StreamAsync(
        AnthropicClient client, MessageCreateParams request, Ask ask, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        var calls = new SortedDictionary<long, (string Name, string Arguments)>();
        string? usage = null;
        await foreach (var item in client.Messages.CreateStreaming(request, cancellationToken))
        {
            ask.Progress();
            if (item.TryPickContentBlockStart(out var start) && start.ContentBlock.TryPickToolUse(out var tool))
            {
                calls[start.Index] = (tool.Name, "");
            }
            else if (item.TryPickContentBlockDelta(out var delta))
            {
                text.Append(delta.Delta.TryPickText(out var piece) ? piece.Text : "");
                if (delta.Delta.TryPickInputJson(out var json))
                {
                    calls[delta.Index] = (calls[delta.Index].Name, calls[delta.Index].Arguments + json.PartialJson);
                }
            }
            else if (item.TryPickDelta(out var last))
            {
                usage = Reading.Tokens(last.Usage.InputTokens, last.Usage.OutputTokens);
            }
        }

        return new Reading(text.ToString(), string.Concat(calls.Values.Select(call => Reading.Call(call.Name, call.Arguments))), usage);
    }

    private static Reading ReadingOf(Message answer)
    {
        var text = new StringBuilder();
        var calls = new StringBuilder();
        foreach (var block in answer.Content)
        {
            text.Append(block.TryPickText(out var piece) ? piece.Text : "");
            calls.Append(block.TryPickToolUse(out var tool) ? Reading.Call(tool.Name, JsonSerializer.Serialize(tool.Input)) : "");
        }

        return new Reading(text.ToString(), calls.ToString(), Reading.Tokens(answer.Usage.InputTokens, answer.Usage.OutputTokens));
    }
}
