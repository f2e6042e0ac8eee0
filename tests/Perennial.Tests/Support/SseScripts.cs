using Perennial.Testing;

namespace Perennial.Tests.Support;

/// <summary>How a scripted response ends.</summary>
internal enum Ending
{
    /// <summary>By the final chunk.</summary>
    InGoodOrder,

    /// <summary>By FIN, without the final chunk.</summary>
    Closed,

    /// <summary>By RST, after every byte arrived.</summary>
    Reset,

    /// <summary>Not at all: silence, until the client leaves.</summary>
    Silence,
}

/// <summary>Scripts for a <see cref="ScriptedServer"/> that answers with event streams, or with a mere status.</summary>
internal static class SseScripts
{
    /// <summary>Numbered events whose data is their number.</summary>
    public static string Events(params ReadOnlySpan<int> ids)
    {
        var text = "";
        foreach (var id in ids)
        {
            text += $"id: {id}\ndata: {id}\n\n";
        }

        return text;
    }

    /// <summary>An event stream of these bytes.</summary>
    public static Func<ScriptedExchange, Task> Stream(
        string body, Ending ending = Ending.InGoodOrder, params (string Name, string Value)[] headers) =>
        async exchange =>
        {
            await exchange.StartEventStreamAsync(headers);
            if (body.Length > 0)
            {
                await exchange.WriteChunkAsync(body);
            }

            await EndAsync(exchange, ending);
        };

    /// <summary>A complete answer without a stream.</summary>
    public static Func<ScriptedExchange, Task> Status(int status, params (string Name, string Value)[] headers) =>
        exchange => exchange.RespondAsync(status, "", headers);

    /// <summary>The connection is reset before a byte of the answer.</summary>
    public static Task ResetUnanswered(ScriptedExchange exchange)
    {
        exchange.Reset();
        return Task.CompletedTask;
    }

    /// <summary>No answer at all.</summary>
    public static Task NeverAnswer(ScriptedExchange exchange) => exchange.WaitForClientCloseAsync(exchange.Stopping);

    public static async Task EndAsync(ScriptedExchange exchange, Ending ending)
    {
        switch (ending)
        {
            case Ending.InGoodOrder:
                await exchange.EndChunksAsync();
                break;
            case Ending.Closed:
                exchange.Close();
                break;
            case Ending.Reset:
                await exchange.ResetAsync();
                break;
            default:
                await exchange.WaitForClientCloseAsync(exchange.Stopping);
                break;
        }
    }
}
