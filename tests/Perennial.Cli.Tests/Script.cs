using Perennial.Testing;

namespace Perennial.Cli.Tests;

/// <summary>Answers that many tests need.</summary>
internal static class Script
{
    /// <summary>An event stream that ends in good order.</summary>
    public static Func<ScriptedExchange, Task> Stream(string events) => async exchange =>
    {
        await exchange.StartEventStreamAsync();
        await exchange.WriteChunkAsync(events);
        await exchange.EndChunksAsync();
    };

    /// <summary>An event stream that dies in the middle.</summary>
    public static Func<ScriptedExchange, Task> Cut(string events) => async exchange =>
    {
        await exchange.StartEventStreamAsync();
        await exchange.WriteChunkAsync(events);
        await exchange.ResetAsync();
    };

    /// <summary>An event stream that stays open and silent until the client leaves.</summary>
    public static Func<ScriptedExchange, Task> Hold(string events) => async exchange =>
    {
        await exchange.StartEventStreamAsync();
        await exchange.WriteChunkAsync(events);
        await exchange.WaitForClientCloseAsync();
    };

    /// <summary>A whole response that is no event stream.</summary>
    public static Func<ScriptedExchange, Task> Status(int status, params (string Name, string Value)[] headers) =>
        exchange => exchange.RespondAsync(status, "", headers);
}
