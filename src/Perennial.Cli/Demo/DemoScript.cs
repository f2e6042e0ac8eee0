using System.Text.Json;

namespace Perennial.Cli.Demo;

/// <summary>What the demo's server says, as chat completion chunks: one for each token, and a last one that says why it stops.</summary>
internal sealed class DemoScript
{
    /// <summary>Enough for every connection to carry a few before it is cut.</summary>
    private const int FewestTokens = 800;

    private DemoScript(IReadOnlyList<string> tokens)
    {
        Tokens = tokens;
        var created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Chunks = [.. tokens.Select(token => Encode(created, new ChatDelta(token), finishReason: null)), Encode(created, new ChatDelta(null), "stop")];
    }

    /// <summary>The tokens: words with the white space behind them.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The chunks, as they are sent.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chunks { get; }

    /// <summary>Bytes that cross the wire at the least; framing comes on top.</summary>
    public long LeastBytes => Chunks.Sum(chunk => (long)chunk.Length);

    /// <summary>The README that was built into the program, as often as it takes.</summary>
    public static DemoScript FromReadme()
    {
        var once = Readme.Tokens(Readme.Read());
        var times = (FewestTokens + once.Count - 1) / once.Count;
        return new DemoScript([.. Enumerable.Repeat(once, times).SelectMany(tokens => tokens)]);
    }

    private static ReadOnlyMemory<byte> Encode(long created, ChatDelta delta, string? finishReason) => JsonSerializer.SerializeToUtf8Bytes(
        new ChatChunk("chatcmpl-demo", "chat.completion.chunk", created, "readme", [new ChatChoice(0, delta, finishReason)]),
        ChatJson.Default.ChatChunk);
}
