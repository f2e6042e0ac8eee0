using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers a poll: with what is new, at once or when it comes, or with nothing after a while. Safe from any thread.</summary>
internal sealed class LongPollResponse(IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>Not much, because a document that breaks off is asked for again as a whole.</summary>
    private const int MaxAnswerBytes = 64 * 1024;

    /// <summary>Answers with what follows a place: in lines where the reader takes them, else as one JSON array.</summary>
    /// <param name="context">The request, whose headers are written.</param>
    /// <param name="log">What to read.</param>
    /// <param name="place">Where to begin.</param>
    public async Task SendAsync(HttpContext context, IRunLog log, ReaderPlace place)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var slice = await WaitForNewsAsync(log, place.Cursor, leave.Token);
        if (!slice.Records.IsEmpty)
            await SendAsync(context, Encode(slice.Records.Span, log.Epoch, place));
        else if (slice.State.Status != RunStatus.Running)
            RunResponse.AnswerEnded(context.Response, slice.State);
        else if (lifetime.ApplicationStopping.IsCancellationRequested)
            await Problem.UnavailableAsync(context, "The server is going away. Come back to it, or to another.");
        else
            context.Response.StatusCode = StatusCodes.Status204NoContent;
    }

    /// <summary>Empty when the time is up, or when the reader is gone.</summary>
    private async Task<RunSlice> WaitForNewsAsync(IRunLog log, long cursor, CancellationToken leave)
    {
        var slice = await log.ReadAsync(cursor, MaxAnswerBytes, CancellationToken.None);
        if (!slice.Records.IsEmpty || slice.State.Status != RunStatus.Running)
            return slice;

        var since = time.GetTimestamp();
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        await using var leaving = leave.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        await using var timer = time.CreateTimer(static signal => ((RunSignal)signal!).Set(), news, options.Value.LongPollHold, Timeout.InfiniteTimeSpan);
        while (true)
        {
            slice = await log.ReadAsync(cursor, MaxAnswerBytes, CancellationToken.None);
            var isOver = leave.IsCancellationRequested || time.GetElapsedTime(since) >= options.Value.LongPollHold;
            if (!slice.Records.IsEmpty || slice.State.Status != RunStatus.Running || isOver)
                return slice;
            await news.WaitAsync();
        }
    }

    private static List<byte[]> Encode(ReadOnlySpan<RunRecord> records, string epoch, ReaderPlace place)
    {
        var elements = new List<byte[]>(records.Length + 1);
        var gap = place.Gap ?? (records[0].Sequence != place.Cursor + 1 ? new EventId(epoch, place.Cursor).ToString() : null);
        if (gap is not null)
            elements.Add(JsonLine.Encode(id: null, ControlEvent.Gap(gap, new EventId(epoch, records[0].Sequence)).Content));
        foreach (var record in records)
            elements.Add(record.JsonLine);
        return elements;
    }

    // The length is told, so that an answer that breaks off is known for it.
    private static async Task SendAsync(HttpContext context, List<byte[]> lines)
    {
        var isArray = !ResponseForms.TakesLines(context.Request.Headers.Accept);
        context.Response.ContentType = isArray ? ResponseForms.Json : ResponseForms.JsonLines;
        context.Response.ContentLength = lines.Sum(line => (long)line.Length) + (isArray ? lines.Count + 1 : 0);
        var body = context.Response.BodyWriter;
        for (var i = 0; i < lines.Count; i++)
        {
            if (isArray)
                body.Write(i == 0 ? "["u8 : ","u8);
            body.Write(lines[i]);
        }

        if (isArray)
            body.Write("]"u8);
        await body.FlushAsync(context.RequestAborted);
    }
}
