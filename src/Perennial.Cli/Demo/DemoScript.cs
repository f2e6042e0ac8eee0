using System.Text.Json;

namespace Perennial.Cli.Demo;

/// <summary>
/// The stream of the demo's server, as chat completion chunks: one for each token, and a last one with the finish reason.
/// </summary>
internal sealed class DemoScript
{
    /// <summary>Enough tokens that every connection carries a few before it is cut.</summary>
    private const int FewestTokens = 800;

    private DemoScript(IReadOnlyList<string> tokens)
    {
        Tokens = tokens;
        var created = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        Chunks = [.. tokens.Select(token => Encode(created, new ChatDelta(token), finishReason: null)), Encode(created, new ChatDelta(null), "stop")];
    }

    /// <summary>The tokens: words with the white space after them.</summary>
    public IReadOnlyList<string> Tokens { get; }

    /// <summary>The chunks, as they are sent.</summary>
    public IReadOnlyList<ReadOnlyMemory<byte>> Chunks { get; }

    /// <summary>The least number of bytes on the wire; framing adds more.</summary>
    public long LeastBytes => Chunks.Sum(chunk => (long)chunk.Length);

    /// <summary>The tokens of the README that was built into the program, repeated until there are enough.</summary>
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
