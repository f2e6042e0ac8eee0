using ModelContextProtocol;
using ModelContextProtocol.Client;
using ModelContextProtocol.Protocol;
using Perennial.Clients.Tests.Cells;

namespace Perennial.Clients.Tests.Clients;

/// <summary>The package ModelContextProtocol.</summary>
internal static class McpClients
{
    public static async Task<Reading> CallToolAsync(Ask ask, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        await using var transport = new HttpClientTransport(new HttpClientTransportOptions
        {
            Endpoint = ask.BaseAddress,
            TransportMode = HttpTransportMode.StreamableHttp,
        });
        await using var client = await McpClient.CreateAsync(transport, cancellationToken: limit.Token);
        if (ask.GivesUpAfter is { } time)
        {
            limit.CancelAfter(time);
        }

        var answer = await client.CallToolAsync(
            "ask", new Dictionary<string, object?> { ["text"] = "Hi" }, new Told(ask.Progress), cancellationToken: limit.Token);
        var usage = answer.Meta?["usage"] is { } tokens
            ? Reading.Tokens(tokens["inputTokens"]?.GetValue<long>(), tokens["outputTokens"]?.GetValue<long>())
            : null;
        return new Reading(string.Concat(answer.Content.OfType<TextContentBlock>().Select(part => part.Text)), "", usage);
    }

    private sealed class Told(Action progress) : IProgress<ProgressNotificationValue>
    {
        public void Report(ProgressNotificationValue value) => progress();
    }
}
