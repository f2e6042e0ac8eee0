using Perennial.HttpStreams;
using Perennial.Sse;
using Perennial.WebSockets;

namespace Perennial.Benchmarks;

/// <summary>The ways to read one stream to its end that are compared. Each returns how many messages (the floor: bytes) it saw.</summary>
internal static class Readers
{
    public static string[] Of(Workload workload) => workload.EndsAsChat ? ["floor", "perennial", "perennial-dialect"]
        : workload.IsJson
        ? ["floor", "hand-rolled-json", "perennial-json"]
        : workload.Wire is Wire.NdJson or Wire.WebSocket ? ["floor", "hand-rolled", "perennial", "perennial-events", "perennial-unclassified"]
        : ["floor", "hand-rolled", "perennial", "perennial-events"];

    public static Func<Uri, Task<long>> Named(string name, Workload workload) => name switch
    {
        "floor" => workload.Wire switch
        {
            Wire.WebSocket => Floor.WebSocketAsync,
            Wire.LongPoll => Floor.LongPollAsync,
            _ => Floor.HttpAsync,
        },
        "hand-rolled" => uri => HandRolled.CountAsync(HandRolled.Read(uri, workload.Wire)),
        "hand-rolled-json" => uri => HandRolled.CountChoicesAsync(HandRolled.Read(uri, workload.Wire)),
        "perennial" => uri => SequenceAsync(Transport(uri, workload.Wire)),
        "perennial-dialect" => uri => SequenceAsync(new SseTransport(new SseTransportOptions { Endpoint = uri })),
        "perennial-events" => uri => EventsAsync(Transport(uri, workload.Wire)),
        "perennial-unclassified" => uri => SequenceAsync(Transport(uri, workload.Wire, Unclassified)),
        "perennial-json" => uri => JsonAsync(Transport(uri, workload.Wire)),
        _ => throw new ArgumentException($"No reader is called {name}.", nameof(name)),
    };

    private static Transport Transport(Uri uri, Wire wire, MessageClassifier? classify = null) => wire switch
    {
        // The chunks look like chat completions, and most streams end without [DONE]. What recognizing them costs is a reader of its own.
        Wire.Sse => new SseTransport(new SseTransportOptions { Endpoint = uri, Dialect = Dialects.None }),
        Wire.NdJson => new HttpStreamTransport(new HttpStreamTransportOptions { Endpoint = uri, Classify = classify }),
        Wire.LongPoll => new LongPollTransport(new LongPollTransportOptions { Endpoint = uri, Interval = TimeSpan.Zero }),
        _ => new WebSocketTransport(new WebSocketTransportOptions { Endpoint = uri, Classify = classify }),
    };

    /// <summary>In place of looking for markers: what that look costs.</summary>
    private static StreamSignal Unclassified(in StreamMessage message) => StreamSignal.None;

    private static async Task<long> SequenceAsync(Transport transport)
    {
        await using var disposed = transport;
        long count = 0;
        await foreach (var message in transport.ReadAllAsync())
        {
            count += message.Data.Length > 0 ? 1 : 0;
        }

        return count;
    }

    private static async Task<long> EventsAsync(Transport transport)
    {
        await using var disposed = transport;
        long count = 0;
        var closed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        transport.MessageReceived += (_, message) => count += message.Data.Length > 0 ? 1 : 0;
        transport.Closed += (_, _) => closed.SetResult();
        await transport.ConnectAsync();
        await closed.Task;
        return count;
    }

    private static async Task<long> JsonAsync(Transport transport)
    {
        await using var disposed = transport;
        long count = 0;
        await foreach (var chunk in transport.ReadJsonAsync(BenchmarkJson.Default.ChatChunk))
        {
            count += chunk!.Choices.Length;
        }

        return count;
    }
}
