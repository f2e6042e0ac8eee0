using System.Globalization;
using System.Text;
using Perennial.Sse;
using Perennial.Testing;

namespace Perennial.Tests.Fixtures;

/// <summary>Event streams in bulk, and the transports that read them from a scripted server.</summary>
internal static class EventStreams
{
    public static SseTransport Transport(
        this ScriptedServer server, Func<SseTransportOptions, SseTransportOptions>? options = null, TransportServices? services = null)
    {
        var plain = new SseTransportOptions { Endpoint = server.Address, Reconnect = new ReconnectOptions { InitialDelay = TimeSpan.Zero, Jitter = false } };
        return new SseTransport(options?.Invoke(plain) ?? plain, services);
    }

    /// <summary>Events with ids and texts from <paramref name="first"/> to <paramref name="last"/>.</summary>
    public static string Events(int first, int last)
    {
        var text = new StringBuilder();
        for (var i = first; i <= last; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $"id: {i}\ndata: {i}\n\n");
        }

        return text.ToString();
    }

    /// <summary>A complete stream of these events.</summary>
    public static async Task StreamAsync(this ScriptedExchange exchange, int first, int last, params (string, string)[] headers)
    {
        await exchange.StartEventStreamAsync(headers);
        await exchange.WriteChunkAsync(Events(first, last));
        await exchange.EndChunksAsync();
    }

    /// <summary>Events, and then silence until the client leaves.</summary>
    public static async Task StreamAndWaitAsync(this ScriptedExchange exchange, int first, int last)
    {
        await exchange.StartEventStreamAsync();
        if (last >= first)
        {
            await exchange.WriteChunkAsync(Events(first, last));
        }

        await exchange.WaitForClientCloseAsync(exchange.Stopping);
    }

    public static async Task<List<string>> TextsAsync(this IAsyncEnumerable<StreamMessage> messages, int? count = null)
    {
        var texts = new List<string>();
        if (count == 0)
        {
            return texts;
        }

        await foreach (var message in messages)
        {
            texts.Add(message.Text);
            if (texts.Count == count)
            {
                break;
            }
        }

        return texts;
    }

    public static IEnumerable<string> Numbers(int first, int last) =>
        Enumerable.Range(first, last - first + 1).Select(static i => i.ToString(CultureInfo.InvariantCulture));
}
