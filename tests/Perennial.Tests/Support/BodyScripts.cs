using Perennial.Testing;

namespace Perennial.Tests.Support;

/// <summary>Scripts for a <see cref="ScriptedServer"/> that answers with bodies of other formats than event streams.</summary>
internal static class BodyScripts
{
    public static readonly (string Name, string Value) SpeaksPerennial = ("Perennial-Protocol", "1");

    /// <summary>JSON lines.</summary>
    public static Func<ScriptedExchange, Task> Lines(
        string body, Ending ending = Ending.InGoodOrder, params (string Name, string Value)[] headers) =>
        Body("application/x-ndjson", body, ending, headers);

    /// <summary>A chunked body of any type.</summary>
    public static Func<ScriptedExchange, Task> Body(
        string contentType,
        string body,
        Ending ending = Ending.InGoodOrder,
        params (string Name, string Value)[] headers) => async exchange =>
    {
        await exchange.StartChunkedAsync(contentType, headers);
        if (body.Length > 0)
        {
            await exchange.WriteChunkAsync(body);
        }

        await SseScripts.EndAsync(exchange, ending);
    };

    /// <summary>A complete answer of known length: what a poll gets.</summary>
    public static Func<ScriptedExchange, Task> Answer(
        string body, string contentType = "application/json", params (string Name, string Value)[] headers) =>
        exchange => exchange.RespondAsync(200, body, [("Content-Type", contentType), .. headers]);

    /// <summary>Numbered envelopes whose data is their number.</summary>
    public static string Envelopes(params ReadOnlySpan<int> ids)
    {
        var text = "";
        foreach (var id in ids)
        {
            text += $$"""{"id":"{{id}}","data":"{{id}}"}""" + "\n";
        }

        return text;
    }
}
