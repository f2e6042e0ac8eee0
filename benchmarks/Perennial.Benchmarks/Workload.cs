using System.Text;

namespace Perennial.Benchmarks;

/// <summary>A stream to send: how large its events are, how many come, and how they are packed into HTTP chunks.</summary>
internal sealed record Workload(string Name, int DataSize, int Count, Packing Packing, bool IsJson = false)
{
    public static Workload[] All { get; } =
    [
        new("sse-250-blocks", 250, 2_000_000, Packing.Blocks),
        new("sse-250-chunks", 250, 1_000_000, Packing.OneChunkPerEvent),
        new("sse-30-blocks", 30, 4_000_000, Packing.Blocks),
        new("sse-250-json", 250, 500_000, Packing.Blocks, IsJson: true),
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
        var data = IsJson ? Json() : new string('x', DataSize);
        return Encoding.UTF8.GetBytes($"data: {data}\n\n");
    }

    private string Json()
    {
        const string Empty = "\"content\":\"\"";
        const string Frame = $$$"""{"id":"chatcmpl-0123456789","object":"chat.completion.chunk","created":1700000000,"model":"m","choices":[{"index":0,"delta":{{{{Empty}}}}}]}""";
        return Frame.Replace(Empty, $"\"content\":\"{new string('y', DataSize - Frame.Length)}\"", StringComparison.Ordinal);
    }
}

internal enum Packing
{
    /// <summary>64 KiB of events in one HTTP chunk.</summary>
    Blocks,

    /// <summary>Each event in an HTTP chunk of its own.</summary>
    OneChunkPerEvent,
}
