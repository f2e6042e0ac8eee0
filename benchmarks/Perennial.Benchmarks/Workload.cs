using System.Text;

namespace Perennial.Benchmarks;

/// <summary>A stream to send: how large its events are, how many come, and how they are packed: into HTTP chunks, or into
/// writes where the wire is a WebSocket.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Wire">The protocol.</param>
/// <param name="DataSize">Bytes of data in each event.</param>
/// <param name="Count">Events of one measurement.</param>
/// <param name="Packing">How events are packed.</param>
/// <param name="IsJson">Whether each event is a chunk of a chat completion.</param>
/// <param name="EndsAsChat">Whether the stream ends with <c>[DONE]</c>, as one in the dialect of its chunks does.</param>
internal sealed record Workload(
    string Name, Wire Wire, int DataSize, int Count, Packing Packing, bool IsJson = false, bool EndsAsChat = false)
{
    public const string Chat = "sse-250-chat";

    public static Workload[] All { get; } =
    [
        new("sse-250-blocks", Wire.Sse, 250, 2_000_000, Packing.Blocks),
        new("sse-250-chunks", Wire.Sse, 250, 1_000_000, Packing.OneChunkPerEvent),
        new("sse-30-blocks", Wire.Sse, 30, 4_000_000, Packing.Blocks),
        new("sse-4096-blocks", Wire.Sse, 4096, 200_000, Packing.Blocks),
        new("sse-250-json", Wire.Sse, 250, 500_000, Packing.Blocks, IsJson: true),
        new(Chat, Wire.Sse, 250, 1_000_000, Packing.Blocks, IsJson: true, EndsAsChat: true),
        new("ndjson-250-blocks", Wire.NdJson, 250, 1_000_000, Packing.Blocks),
        new("ndjson-250-chunks", Wire.NdJson, 250, 1_000_000, Packing.OneChunkPerEvent),
        new("ndjson-4096-blocks", Wire.NdJson, 4096, 200_000, Packing.Blocks),
        new("long-poll-250", Wire.LongPoll, 250, 1_000_000, Packing.Blocks),
        new("long-poll-4096", Wire.LongPoll, 4096, 200_000, Packing.Blocks),
        new("websocket-250-text", Wire.WebSocket, 250, 1_000_000, Packing.Blocks),
        new("websocket-30-text", Wire.WebSocket, 30, 2_000_000, Packing.Blocks),
        new("websocket-4096-text", Wire.WebSocket, 4096, 200_000, Packing.Blocks),
    ];

    public static Workload Named(string name) => Array.Find(All, workload => string.Equals(workload.Name, name, StringComparison.Ordinal))
        ?? throw new ArgumentException($"No workload is called {name}.", nameof(name));

    /// <summary>Events behind one another, enough to fill about 64 KiB, and how many they are.</summary>
    public (byte[] Bytes, int Events) Block()
    {
        var one = Event();
        var events = Math.Max(1, 64 * 1024 / one.Length);
        var block = new MemoryStream();
        for (var i = 0; i < events; i++)
        {
            block.Write(one);
        }

        return (block.ToArray(), events);
    }

    public byte[] Event()
    {
        var text = Text();
        return Wire switch
        {
            Wire.Sse => Encoding.UTF8.GetBytes($"data: {text}\n\n"),
            Wire.NdJson or Wire.LongPoll => Encoding.UTF8.GetBytes($"{{\"text\":\"{text[Math.Min(11, text.Length)..]}\"}}\n"),
            _ => TextFrame(Encoding.UTF8.GetBytes(text)),
        };
    }

    public string Text() => IsJson ? Json() : new string('x', DataSize);

    /// <summary>An unmasked, final text frame (RFC 6455, section 5.2).</summary>
    private static byte[] TextFrame(byte[] payload) => payload.Length < 126
        ? [0x81, (byte)payload.Length, .. payload]
        : [0x81, 126, (byte)(payload.Length >> 8), (byte)payload.Length, .. payload];

    private string Json()
    {
        const string Empty = "\"content\":\"\"";
        const string Frame = $$$"""{"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{{{{Empty}}}}}]}""";
        return Frame.Replace(Empty, $"\"content\":\"{new string('y', DataSize - Frame.Length)}\"", StringComparison.Ordinal);
    }
}

internal enum Wire
{
    Sse,

    NdJson,

    /// <summary>Polls, each answered with 64 KiB of JSON lines.</summary>
    LongPoll,

    WebSocket,
}

internal enum Packing
{
    /// <summary>64 KiB of events in one HTTP chunk, or in one write.</summary>
    Blocks,

    /// <summary>Each event in an HTTP chunk of its own.</summary>
    OneChunkPerEvent,
}
