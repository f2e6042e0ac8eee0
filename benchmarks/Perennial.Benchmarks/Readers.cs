using System.Net.ServerSentEvents;
using System.Text.Json;
using System.Text.Json.Serialization;
using System.Threading.Channels;
using Perennial.Sse;

namespace Perennial.Benchmarks;

/// <summary>The ways to read one stream to its end that are compared. Each returns how many messages (the floor: bytes) it saw.</summary>
internal static class Readers
{
    private static readonly HttpClient Http = new();

    public static Func<Uri, Task<long>> Named(string name) => name switch
    {
        "floor" => FloorAsync,
        "hand-rolled" => HandRolledAsync,
        "hand-rolled-json" => HandRolledJsonAsync,
        "perennial" => PerennialAsync,
        "perennial-events" => PerennialEventsAsync,
        "perennial-json" => PerennialJsonAsync,
        _ => throw new ArgumentException($"No reader is called {name}.", nameof(name)),
    };

    /// <summary>The platform reading and discarding.</summary>
    private static async Task<long> FloorAsync(Uri uri)
    {
        using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
        using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[64 * 1024];
        long total = 0;
        while (await body.ReadAsync(buffer) is > 0 and var count)
        {
            total += count;
        }

        return total;
    }

    /// <summary>What a good user writes: a parser, a bounded channel, a loop.</summary>
    private static async Task<long> HandRolledAsync(Uri uri)
    {
        long count = 0;
        await foreach (var item in HandRolledItems(uri))
        {
            count += item.Data.Length > 0 ? 1 : 0;
        }

        return count;
    }

    private static async Task<long> HandRolledJsonAsync(Uri uri)
    {
        long count = 0;
        await foreach (var item in HandRolledItems(uri))
        {
            count += JsonSerializer.Deserialize(item.Data, BenchmarkJson.Default.ChatChunk)!.Choices.Length;
        }

        return count;
    }

    private static async IAsyncEnumerable<SseItem<string>> HandRolledItems(Uri uri)
    {
        var channel = Channel.CreateBounded<SseItem<string>>(new BoundedChannelOptions(1000) { SingleReader = true, SingleWriter = true });
        var reading = Task.Run(async () =>
        {
            using var response = await Http.GetAsync(uri, HttpCompletionOption.ResponseHeadersRead);
            using var body = await response.Content.ReadAsStreamAsync();
            await foreach (var item in SseParser.Create(body).EnumerateAsync())
            {
                await channel.Writer.WriteAsync(item);
            }

            channel.Writer.Complete();
        });
        await foreach (var item in channel.Reader.ReadAllAsync())
        {
            yield return item;
        }

        await reading;
    }

    private static async Task<long> PerennialAsync(Uri uri)
    {
        await using var transport = new SseTransport(new SseTransportOptions { Endpoint = uri });
        long count = 0;
        await foreach (var message in transport.ReadAllAsync())
        {
            count += message.Data.Length > 0 ? 1 : 0;
        }

        return count;
    }

    private static async Task<long> PerennialJsonAsync(Uri uri)
    {
        await using var transport = new SseTransport(new SseTransportOptions { Endpoint = uri });
        long count = 0;
        await foreach (var chunk in transport.ReadJsonAsync(BenchmarkJson.Default.ChatChunk))
        {
            count += chunk!.Choices.Length;
        }

        return count;
    }

    private static async Task<long> PerennialEventsAsync(Uri uri)
    {
        await using var transport = new SseTransport(new SseTransportOptions { Endpoint = uri });
        long count = 0;
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        transport.MessageReceived += (_, message) => count += message.Data.Length > 0 ? 1 : 0;
        transport.Closed += (_, _) => closed.SetResult();
        await transport.ConnectAsync();
        await closed.Task;
        return count;
    }
}

internal sealed record ChatChunk(string Id, string Object, long Created, string Model, ChatChoice[] Choices);

internal sealed record ChatChoice(int Index, ChatDelta Delta);

internal sealed record ChatDelta(string Content);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ChatChunk))]
internal sealed partial class BenchmarkJson : JsonSerializerContext;
