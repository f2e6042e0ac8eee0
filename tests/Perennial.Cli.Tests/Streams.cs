using Perennial.Sse;

namespace Perennial.Cli.Tests;

/// <summary>Reads a stream as a client would.</summary>
internal static class Streams
{
    private static readonly ReconnectOptions AtOnce = new() { InitialDelay = TimeSpan.Zero, MaxAttempts = 50 };

    /// <summary>The text of every message up to the end of the stream, however often the line is cut.</summary>
    public static async Task<IReadOnlyList<string>> ReadAsync(Uri stream)
    {
        await using var transport = Open(new SseTransportOptions { Endpoint = stream });
        return await ReadAsync(transport);
    }

    public static async Task<IReadOnlyList<string>> ReadAsync(Transport transport)
    {
        var texts = new List<string>();
        await foreach (var message in transport.ReadAllAsync(TestContext.Current.CancellationToken))
        {
            texts.Add(message.Text);
        }

        return texts;
    }

    public static SseTransport Open(SseTransportOptions options) => new(options with { Reconnect = AtOnce });
}
