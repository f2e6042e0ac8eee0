using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Stores;
using Perennial.Gateway.Answers;
using Perennial.Wire;

namespace Perennial.Gateway.Exchanges;

/// <summary>Answers requests with recorded answers. Safe from any thread.</summary>
internal sealed class RunReading(RunResponse responses, RunNames names)
{
    /// <summary>Answers with a stream from after an event, or with a whole document, as soon as the head of the answer is
    /// recorded.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">The run.</param>
    /// <param name="after">The id of the last event that the reader has; empty for none.</param>
    /// <param name="isFirst">Whether the request is the one that the upstream answered.</param>
    public async Task ReadAsync(HttpContext context, RunLog log, string after, bool isFirst)
    {
        if (await RecordedHead.WaitAsync(log, context.RequestAborted) is not { } head)
        {
            await responses.SendAsync(context, log, after);
            return;
        }

        foreach (var name in isFirst ? NativeNames.Of(context, log, head) : [])
        {
            names.Set(context, name, log.Id);
        }

        ResponseHead.Apply(context, head, isFirst);
        if (head.Dialect is null)
        {
            await SendDocumentAsync(context, log);
            return;
        }

        var place = after.Length > 0 ? after : new RunEventId(log.Epoch, RecordedHead.Sequence).ToString();
        await responses.SendAsync(context, log, place, head.Dialect);
    }

    /// <summary>Sends the recorded bytes. A document that is not whole is never ended.</summary>
    private static async Task SendDocumentAsync(HttpContext context, RunLog log)
    {
        const int Block = 64 * 1024;
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        await using var leaving = context.RequestAborted.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        for (var cursor = RecordedHead.Sequence; !context.RequestAborted.IsCancellationRequested;)
        {
            var slice = await log.ReadAsync(cursor, Block, context.RequestAborted);
            foreach (var record in slice.Records.ToArray())
            {
                cursor = record.Sequence;
                if (!EventNames.IsReserved(record.Content.EventType))
                {
                    await context.Response.BodyWriter.WriteAsync(record.Content.Data, context.RequestAborted);
                }
                else if (slice.State.Status != RunStatus.Completed)
                {
                    context.Abort();
                    return;
                }
                else
                {
                    return;
                }
            }

            if (slice.Records.IsEmpty)
            {
                await news.WaitAsync();
            }
        }
    }
}
