using System.Text;
using Perennial.Testing;

namespace Perennial.Gateway.Tests;

/// <summary>What providers answer, and what clients read of it.</summary>
internal static class Answers
{
    public static string Chunk(int number) => $$$"""{"id":"c","object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"t{{{number}}} "}}]}""";

    /// <summary>The events of a whole chat completion.</summary>
    public static string Chat(int chunks) => Chunks(chunks) + "data: [DONE]\n\n";

    public static string Chunks(int chunks) =>
        string.Concat(Enumerable.Range(0, chunks).Select(static number => $"data: {Chunk(number)}\n\n"));

    /// <summary>An event stream that ends in good order.</summary>
    public static Func<ScriptedExchange, Task> Stream(string events, params (string Name, string Value)[] headers) => async exchange =>
    {
        await exchange.StartEventStreamAsync(headers);
        await exchange.WriteChunkAsync(events);
        await exchange.EndChunksAsync();
    };

    /// <summary>A stream that breaks off.</summary>
    public static Func<ScriptedExchange, Task> Cut(string events) => async exchange =>
    {
        await exchange.StartEventStreamAsync();
        await exchange.WriteChunkAsync(events);
        await exchange.ResetAsync();
    };

    public static Func<ScriptedExchange, Task> Lines(string lines) => async exchange =>
    {
        await exchange.StartChunkedAsync("application/x-ndjson");
        await exchange.WriteChunkAsync(lines);
        await exchange.EndChunksAsync();
    };

    /// <summary>The data of the events in an event stream, in order.</summary>
    public static string[] DataOf(string body) =>
        [.. body.Split("\n\n").Select(static block => string.Join('\n', block.Split('\n').Where(static line => line.StartsWith("data: ", StringComparison.Ordinal)).Select(static line => line[6..]))).Where(static data => data.Length > 0)];

    /// <summary>The ids in an event stream, in order.</summary>
    public static string[] IdsOf(string body) =>
        [.. body.Split('\n').Where(static line => line.StartsWith("id: ", StringComparison.Ordinal)).Select(static line => line[4..])];

    /// <summary>Reads a body. Leaves out heartbeats, which an event stream has when the answer is slow.</summary>
    public static async Task<string> ReadAsync(this HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        return string.Join("\n\n", text.Split("\n\n").Where(static block => block is not ":"));
    }

    /// <summary>Reads a body that breaks off. Returns what came, and whether the connection was aborted.</summary>
    public static async Task<(string Text, bool IsAborted)> ReadToBreakAsync(this HttpResponseMessage response)
    {
        var text = new StringBuilder();
        await using var body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        var block = new byte[4096];
        try
        {
            for (int read; (read = await body.ReadAsync(block, TestContext.Current.CancellationToken)) > 0;)
            {
                text.Append(Encoding.UTF8.GetString(block, 0, read));
            }

            return (text.ToString(), false);
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            return (text.ToString(), true);
        }
    }
}
