using System.Net;
using System.Net.ServerSentEvents;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;

namespace Perennial.Benchmarks;

/// <summary>What a good user writes: the platform's client and parser, messages as strings, a bounded channel, a loop.</summary>
internal static class HandRolled
{
    private static readonly HttpClient Http = new();

    public static async Task<long> CountAsync(IAsyncEnumerable<string> messages)
    {
        long count = 0;
        await foreach (var message in messages)
        {
            count += message.Length > 0 ? 1 : 0;
        }

        return count;
    }

    public static async Task<long> CountChoicesAsync(IAsyncEnumerable<string> messages)
    {
        long count = 0;
        await foreach (var message in messages)
        {
            count += JsonSerializer.Deserialize(message, BenchmarkJson.Default.ChatChunk)!.Choices.Length;
        }

        return count;
    }

    public static async IAsyncEnumerable<string> Read(Uri uri, Wire wire)
    {
        var channel = Channel.CreateBounded<string>(new BoundedChannelOptions(1000) { SingleReader = true, SingleWriter = true });
        var reading = Task.Run(async () =>
        {
            await (wire switch
            {
                Wire.Sse => ReadSseAsync(uri, channel.Writer),
                Wire.NdJson => ReadLinesAsync(uri, channel.Writer),
                Wire.LongPoll => PollAsync(uri, channel.Writer),
                _ => ReadWebSocketAsync(uri, channel.Writer),
            });
            channel.Writer.Complete();
        });
        await foreach (var message in channel.Reader.ReadAllAsync())
        {
            yield return message;
        }

        await reading;
    }

    public static async Task<ClientWebSocket> ConnectAsync(Uri uri)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new UriBuilder(uri) { Scheme = Uri.UriSchemeWs }.Uri, CancellationToken.None);
        return socket;
    }

    private static async Task ReadSseAsync(Uri uri, ChannelWriter<string> messages)
    {
        using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        using var body = await response.Content.ReadAsStreamAsync();
        await foreach (var item in SseParser.Create(body).EnumerateAsync())
        {
            await messages.WriteAsync(item.Data);
        }
    }

    private static async Task PollAsync(Uri uri, ChannelWriter<string> messages)
    {
        while (await ReadLinesAsync(uri, messages) != HttpStatusCode.NoContent)
        {
            // The next poll.
        }
    }

    private static async Task<HttpStatusCode> ReadLinesAsync(Uri uri, ChannelWriter<string> messages)
    {
        using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync());
        while (await lines.ReadLineAsync() is { } line)
        {
            await messages.WriteAsync(line);
        }

        return response.StatusCode;
    }

    private static async Task ReadWebSocketAsync(Uri uri, ChannelWriter<string> messages)
    {
        using var socket = await ConnectAsync(uri);
        var buffer = new byte[16 * 1024];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult received;
            do
            {
                received = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                if (received.MessageType == WebSocketMessageType.Close)
                {
                    return;
                }

                length += received.Count;
            }
            while (!received.EndOfMessage);
            await messages.WriteAsync(Encoding.UTF8.GetString(buffer.AsSpan(0, length)));
        }
    }
}

internal sealed record ChatChunk(string Id, string Object, long Created, string Model, ChatChoice[] Choices);

internal sealed record ChatChoice(int Index, ChatDelta Delta);

internal sealed record ChatDelta(string Content);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChatChunk))]
internal sealed partial class BenchmarkJson : JsonSerializerContext;
