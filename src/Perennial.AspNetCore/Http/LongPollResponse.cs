using System.Buffers;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers a poll with new events, at once or when they come, or with 204 after the hold. Safe from any thread.</summary>
internal sealed class LongPollResponse(IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    /// <summary>The most bytes of a JSON array. Small, because a document that breaks off is requested again as a whole.</summary>
    private const int MaxAnswerBytes = 64 * 1024;

    /// <summary>Answers with the events after a place, as JSON lines if the reader accepts them, or else as one JSON array.</summary>
    /// <param name="context">The request. The headers of its response are already set.</param>
    /// <param name="log">The run.</param>
    /// <param name="place">The place to begin.</param>
    public async Task SendAsync(HttpContext context, RunLog log, ReaderPlace place)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        var slice = await WaitForNewsAsync(log, place.Cursor, HoldFor(context.Request), leave.Token);
        if (!slice.Records.IsEmpty)
        {
            await SendAsync(context, Envelopes(slice.Records.Span, log.Epoch, place));
        }
        else if (slice.State.Status != RunStatus.Running)
        {
            EndedResponse.Write(context.Response, slice.State);
        }
        else if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await Problem.UnavailableAsync(context, "The server is shutting down. Repeat the request later.", RefusalReasons.GoingAway);
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
        }
    }

    /// <summary>The hold: the server's limit, or less if the reader prefers a shorter wait (RFC 7240, 4.3).</summary>
    private TimeSpan HoldFor(HttpRequest request)
    {
        var most = options.Value.LongPollHold;
        foreach (var preference in request.Headers.GetCommaSeparatedValues(WaitPreference.HeaderName))
        {
            if (WaitPreference.Parse(preference) is { } wait && wait < most)
            {
                return wait;
            }
        }

        return most;
    }

    /// <summary>Waits for events. Empty if the hold has passed or the reader is gone.</summary>
    private async Task<RunSlice> WaitForNewsAsync(RunLog log, long cursor, TimeSpan mostHold, CancellationToken leave)
    {
        var slice = await log.ReadAsync(cursor, MaxAnswerBytes, CancellationToken.None);
        if (!slice.Records.IsEmpty || slice.State.Status != RunStatus.Running || mostHold == TimeSpan.Zero)
        {
            return slice;
        }

        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        // Only the timer ends the hold: by another clock it may fire a little early.
        using var hold = new CancellationTokenSource(mostHold, time);
        await using var holding = hold.Token.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        await using var leaving = leave.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        while (true)
        {
            slice = await log.ReadAsync(cursor, MaxAnswerBytes, CancellationToken.None);
            var isOver = leave.IsCancellationRequested || hold.IsCancellationRequested;
            if (!slice.Records.IsEmpty || slice.State.Status != RunStatus.Running || isOver)
            {
                return slice;
            }

            await news.WaitAsync();
        }
    }

    private static List<byte[]> Envelopes(ReadOnlySpan<RunRecord> records, string epoch, ReaderPlace place)
    {
        var envelopes = new List<byte[]>(records.Length + 1);
        var gap = place.Gap ?? (records[0].Sequence != place.Cursor + 1 ? new RunEventId(epoch, place.Cursor).ToString() : null);
        if (gap is not null)
        {
            envelopes.Add(ControlEvent.Gap(gap, new RunEventId(epoch, records[0].Sequence)).EncodeLine());
        }

        foreach (var record in records)
        {
            envelopes.Add(record.JsonLine);
        }

        return envelopes;
    }

    // The response has a length, so that the client can detect a response that breaks off.
    private static async Task SendAsync(HttpContext context, List<byte[]> envelopes)
    {
        var asLines = ResponseForms.TakesJsonLines(context.Request.Headers.Accept);
        context.Response.ContentType = asLines ? MediaTypes.JsonLines : MediaTypes.Json;
        context.Response.ContentLength = envelopes.Sum(envelope => (long)envelope.Length) + (asLines ? 0 : envelopes.Count + 1);
        var body = context.Response.BodyWriter;
        for (var i = 0; i < envelopes.Count; i++)
        {
            if (!asLines)
            {
                body.Write(i == 0 ? "["u8 : ","u8);
            }

            body.Write(envelopes[i]);
        }

        if (!asLines)
        {
            body.Write("]"u8);
        }

        PerennialServerTelemetry.CountDelivered(ReaderKind.LongPoll.Name(), context.Response.ContentLength.Value);
        await body.FlushAsync(context.RequestAborted);
    }
}
