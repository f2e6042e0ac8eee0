using System.ClientModel;
using System.Text;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Responses;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>The package OpenAI.</summary>
internal static class OpenAIClients
{
    private static readonly ApiKeyCredential Key = new("test");

    public static OpenAIClient Open(Ask ask) => new(Key, new OpenAIClientOptions { Endpoint = ask.BaseAddress });

    public static async Task<Reading> ChatAsync(Ask ask, CancellationToken cancellationToken)
    {
        var client = Open(ask).GetChatClient("scripted");
        ChatMessage[] messages = [new UserChatMessage("Hi")];
        if (!ask.IsStreamed)
        {
            ChatCompletion answer = await client.CompleteChatAsync(messages, cancellationToken: cancellationToken);
            return new Reading(
                string.Concat(answer.Content.Select(part => part.Text)),
                string.Concat(answer.ToolCalls.Select(call => Reading.Call(call.FunctionName, call.FunctionArguments.ToString()))),
                Reading.Tokens(answer.Usage.InputTokenCount, answer.Usage.OutputTokenCount));
        }

        var text = new StringBuilder();
        var calls = new SortedDictionary<int, (string Name, string Arguments)>();
        string? usage = null;
        await foreach (var update in client.CompleteChatStreamingAsync(messages, cancellationToken: cancellationToken))
        {
            ask.Progress();
            text.AppendJoin("", update.ContentUpdate.Select(part => part.Text));
            foreach (var part in update.ToolCallUpdates)
            {
                var (name, arguments) = calls.GetValueOrDefault(part.Index, ("", ""));
                calls[part.Index] = (name + part.FunctionName, arguments + part.FunctionArgumentsUpdate);
            }

            usage = update.Usage is { } tokens ? Reading.Tokens(tokens.InputTokenCount, tokens.OutputTokenCount) : usage;
        }

        return new Reading(text.ToString(), string.Concat(calls.Values.Select(call => Reading.Call(call.Name, call.Arguments))), usage);
    }

    public static async Task<Reading> ResponsesAsync(Ask ask, CancellationToken cancellationToken)
    {
        var client = Open(ask).GetResponsesClient();
        if (!ask.IsStreamed)
        {
            ResponseResult answer = await client.CreateResponseAsync("scripted", "Hi", cancellationToken: cancellationToken);
            return new Reading(answer.GetOutputText(), CallsOf(answer.OutputItems), TokensOf(answer));
        }

        var text = new StringBuilder();
        var calls = new StringBuilder();
        string? usage = null;
        await foreach (var update in client.CreateResponseStreamingAsync("scripted", "Hi", cancellationToken: cancellationToken))
        {
            ask.Progress();
            switch (update)
            {
                case StreamingResponseOutputTextDeltaUpdate delta:
                    text.Append(delta.Delta);
                    break;
                case StreamingResponseOutputItemDoneUpdate done:
                    calls.Append(CallsOf([done.Item]));
                    break;
                case StreamingResponseCompletedUpdate completed:
                    usage = TokensOf(completed.Response);
                    break;
                // The client hands these over as updates, and its samples look at them.
                case StreamingResponseFailedUpdate failed:
                    throw new InvalidOperationException(failed.Response.Error.Message);
                case StreamingResponseErrorUpdate error:
                    throw new InvalidOperationException(error.Message);
                default:
                    break;
            }
        }

        return new Reading(text.ToString(), calls.ToString(), usage);
    }

    private static string CallsOf(IEnumerable<ResponseItem> items) => string.Concat(
        items.OfType<FunctionCallResponseItem>().Select(call => Reading.Call(call.FunctionName, call.FunctionArguments.ToString())));

    private static string TokensOf(ResponseResult response) =>
        Reading.Tokens(response.Usage.InputTokenCount, response.Usage.OutputTokenCount);
}
