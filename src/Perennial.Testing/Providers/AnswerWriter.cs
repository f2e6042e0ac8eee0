using System.Text;

namespace Perennial.Testing.Providers;

/// <summary>Writes one answer as its script says.</summary>
internal sealed class AnswerWriter(ScriptedExchange exchange, ScriptedProvider script, Prompt prompt, Func<Task> stall)
{
    private const string Json = "application/json";

    private readonly ProviderFormat _format = script.Format;
    private readonly AnswerEnding _ending = script.Ending;

    public async Task WriteAsync()
    {
        if (script.StallsAfter < 0)
        {
            await stall().ConfigureAwait(false);
        }

        await (_ending.Kind switch
        {
            EndingKind.Refuse => RefuseAsync(_ending.Status),
            EndingKind.ResetUnanswered => exchange.ResetAsync(exchange.Stopping),
            _ when _format.IsStreamed(prompt) => StreamAsync(),
            EndingKind.Fail => RefuseAsync(500),
            _ => WriteDocumentAsync(),
        }).ConfigureAwait(false);
    }

    /// <summary>Writes the events that follow so many, to the end of the answer.</summary>
    public async Task ResumeAsync(int after)
    {
        await StartStreamAsync().ConfigureAwait(false);
        foreach (var each in Events().Skip(after))
        {
            await exchange.WriteChunkAsync(each).ConfigureAwait(false);
        }

        await exchange.EndChunksAsync().ConfigureAwait(false);
    }

    private Task RefuseAsync(int status) =>
        exchange.RespondAsync(status, ProviderFormat.Json(_format.ErrorBody(status, _ending.Error, prompt)), Headers(Json));

    private async Task StreamAsync()
    {
        var events = Events();
        var whole = _ending.Kind == EndingKind.Whole ? events.Length : _ending.After;
        await StartStreamAsync().ConfigureAwait(false);
        for (var i = 0; i <= whole; i++)
        {
            if (script.StallsAfter == i)
            {
                await stall().ConfigureAwait(false);
            }

            if (i < whole)
            {
                await exchange.WriteChunkAsync(events[i]).ConfigureAwait(false);
            }
        }

        await EndStreamAsync(events).ConfigureAwait(false);
    }

    private string[] Events()
    {
        var events = _format.Events(script.Answer, prompt);
        return [.. script.HasEventIds ? events.Select((each, index) => $"id: {prompt.EventId(index + 1)}\n{each}") : events];
    }

    private Task StartStreamAsync() =>
        exchange.WriteHeadAsync(200, [.. Headers(_format.ContentType), ("Transfer-Encoding", "chunked")]);

    private async Task EndStreamAsync(string[] events)
    {
        if (_ending.Kind == EndingKind.Reset)
        {
            await exchange.ResetAsync(exchange.Stopping).ConfigureAwait(false);
            return;
        }

        if (_ending.Kind == EndingKind.CutInside)
        {
            var cut = Encoding.UTF8.GetBytes(events[_ending.After]);
            await exchange.WriteChunkAsync(cut.AsMemory(0, cut.Length / 2)).ConfigureAwait(false);
        }
        else if (_ending.Kind == EndingKind.Fail)
        {
            await exchange.WriteChunkAsync(_format.ErrorEvent(_ending.Error, prompt, _ending.After)).ConfigureAwait(false);
        }

        await exchange.EndChunksAsync().ConfigureAwait(false);
    }

    private async Task WriteDocumentAsync()
    {
        var body = Encoding.UTF8.GetBytes(ProviderFormat.Json(_format.Document(script.Answer, prompt)));
        await exchange.WriteHeadAsync(200, [.. Headers(Json), HttpWire.ContentLength(body.Length)]).ConfigureAwait(false);
        await exchange.WriteAsync(body.AsMemory(0, body.Length / 2)).ConfigureAwait(false);
        if (script.StallsAfter >= 0)
        {
            await stall().ConfigureAwait(false);
        }

        switch (_ending.Kind)
        {
            case EndingKind.Reset:
                await exchange.ResetAsync(exchange.Stopping).ConfigureAwait(false);
                break;
            case EndingKind.Cut or EndingKind.CutInside:
                exchange.Close();
                break;
            default:
                await exchange.WriteAsync(body.AsMemory(body.Length / 2)).ConfigureAwait(false);
                break;
        }
    }

    /// <summary>Content type, the provider's own headers and the script's, of which the last of a name counts.</summary>
    private (string Name, string Value)[] Headers(string contentType)
    {
        IEnumerable<(string Name, string Value)> all =
            [("Content-Type", contentType), .. _format.Headers(prompt), .. script.Headers, .. _ending.Headers];
        return [.. all.GroupBy(static header => header.Name, StringComparer.OrdinalIgnoreCase).Select(static group => group.Last())];
    }
}
