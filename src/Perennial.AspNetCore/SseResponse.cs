using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore;

/// <summary>One reader over SSE: read after the cursor, deliver, wait. Ends cleanly after the end record and never otherwise.</summary>
/// <remarks>
/// Common AI clients take a clean end of the response for success, so every other way out aborts the connection. Safe from any thread.
/// </remarks>
internal sealed class SseResponse(IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    private const int MaxBatchBytes = 64 * 1024;

    private readonly TimeSpan _heartbeat = options.Value.HeartbeatInterval;

    /// <summary>Answers with the log, after the requested id or from the start.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">What to read.</param>
    /// <param name="requested">The last id the reader has; null for none. One that cannot be honoured is answered by a gap event.</param>
    public async Task SendAsync(HttpContext context, RunLog log, string? requested)
    {
        var honoured = TryPlace(log, requested, out var cursor);
        if (honoured && log.ReadAfter(cursor) is { IsClosed: true, Frames.IsEmpty: true })
        {
            // The reader has the end already. 204 is how the standard tells an EventSource to stop reconnecting (HTML, section 9.2.3).
            WriteProtocolHeaders(context.Response, log, cursor);
            context.Response.Headers[WireNames.StatusHeader] = WireNames.Of(log.State.Status);
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return;
        }

        using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            var body = Open(context, log, cursor);
            if (!honoured)
                body.Write(GapFrame(log, requested!, cursor));
            await FlushAsync(body, leave.Token);
            await DeliverAsync(body, log, cursor, leave.Token);
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            context.Abort();
        }
    }

    private static bool TryPlace(RunLog log, string? requested, out long cursor)
    {
        cursor = 0;
        if (string.IsNullOrEmpty(requested))
            return true;
        var (_, tail) = log.State;
        if (!EventId.TryParse(requested, out var id) || !string.Equals(id.Epoch, tail.Epoch, StringComparison.Ordinal)
            || id.Sequence > tail.Sequence)
        {
            return false;
        }

        cursor = id.Sequence;
        return true;
    }

    private PipeWriter Open(HttpContext context, RunLog log, long cursor)
    {
        var response = context.Response;
        WriteProtocolHeaders(response, log, cursor);
        response.ContentType = "text/event-stream";
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        // A reader that pauses is not an attack: it holds a cursor and one socket buffer. Cutting it would only make it come back.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
            rate.MinDataRate = null;
        return response.BodyWriter;
    }

    private void WriteProtocolHeaders(HttpResponse response, RunLog log, long cursor)
    {
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers[WireNames.ProtocolHeader] = "1";
        response.Headers[WireNames.HeartbeatHeader] = _heartbeat.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        response.Headers[WireNames.CursorHeader] = new EventId(log.Epoch, cursor).ToString();
    }

    // Without an id of its own: a reader cut off right after it asks for the same id again and is told the same.
    private static byte[] GapFrame(RunLog log, string requested, long cursor)
    {
        var gap = new GapBody(requested, new EventId(log.Epoch, cursor + 1).ToString());
        return SseFrame.Encode(id: null, WireNames.GapEvent, JsonSerializer.SerializeToUtf8Bytes(gap, WireJson.Default.GapBody));
    }

    private async Task DeliverAsync(PipeWriter body, RunLog log, long cursor, CancellationToken leave)
    {
        while (true)
        {
            await WaitAsync(body, log, cursor, leave);
            var slice = log.ReadAfter(cursor);
            var taken = WriteBatch(body, slice.Frames.Span);
            await FlushAsync(body, leave);
            cursor += taken;
            if (slice.IsClosed && taken == slice.Frames.Length)
                return;
        }
    }

    private static int WriteBatch(PipeWriter body, ReadOnlySpan<byte[]> frames)
    {
        var taken = 0;
        for (var bytes = 0; taken < frames.Length && bytes < MaxBatchBytes; taken++)
        {
            body.Write(frames[taken]);
            bytes += frames[taken].Length;
        }

        return taken;
    }

    private async Task WaitAsync(PipeWriter body, RunLog log, long cursor, CancellationToken leave)
    {
        var appended = log.WaitAfter(cursor);
        while (!appended.IsCompleted)
        {
            // Silence is an ordinary outcome, so the timeout is looked at and not thrown.
            await appended.WaitAsync(_heartbeat, time, leave).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            leave.ThrowIfCancellationRequested();
            if (appended.IsCompleted)
                return;
            body.Write(SseFrame.Heartbeat);
            await FlushAsync(body, leave);
        }
    }

    // The flush result is not asked whether the peer is gone: RequestAborted says so, on every server.
    private static async Task FlushAsync(PipeWriter body, CancellationToken leave)
    {
        await body.FlushAsync(leave);
        leave.ThrowIfCancellationRequested();
    }
}
