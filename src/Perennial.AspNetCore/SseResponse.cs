using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;

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
    public async Task SendAsync(HttpContext context, IRunLog log, string? requested)
    {
        var state = await log.GetStateAsync(context.RequestAborted);
        var honoured = TryPlace(log, state, requested, out var cursor);
        if (honoured && state.Status != RunStatus.Running && cursor == state.Tail)
        {
            // The reader has the end already. 204 is how the standard tells an EventSource to stop reconnecting (HTML, section 9.2.3).
            WriteProtocolHeaders(context.Response, log, cursor);
            context.Response.Headers[WireNames.StatusHeader] = WireNames.Of(state.Status);
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

    private static bool TryPlace(IRunLog log, RunState state, string? requested, out long cursor)
    {
        cursor = 0;
        if (string.IsNullOrEmpty(requested))
            return true;
        if (!EventId.TryParse(requested, out var id) || !string.Equals(id.Epoch, log.Epoch, StringComparison.Ordinal)
            || id.Sequence > state.Tail)
        {
            return false;
        }

        cursor = id.Sequence;
        return true;
    }

    private PipeWriter Open(HttpContext context, IRunLog log, long cursor)
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

    private void WriteProtocolHeaders(HttpResponse response, IRunLog log, long cursor)
    {
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers[WireNames.ProtocolHeader] = "1";
        response.Headers[WireNames.HeartbeatHeader] = _heartbeat.TotalSeconds.ToString("0.###", CultureInfo.InvariantCulture);
        response.Headers[WireNames.CursorHeader] = new EventId(log.Epoch, cursor).ToString();
    }

    // Without an id of its own: a reader cut off right after it asks for the same id again and is told the same.
    private static byte[] GapFrame(IRunLog log, string requested, long cursor)
    {
        var gap = new GapBody(requested, new EventId(log.Epoch, cursor + 1).ToString());
        var data = JsonSerializer.SerializeToUtf8Bytes(gap, WireJson.Default.GapBody);
        return SseFrame.Encode(id: null, new RunEvent(WireNames.GapEvent, data, RunDataKind.Json));
    }

    private async Task DeliverAsync(PipeWriter body, IRunLog log, long cursor, CancellationToken leave)
    {
        var news = new RunSignal();
        using var subscription = log.Subscribe(RunNews.Records, news);
        await using var leaving = leave.UnsafeRegister(static signal => ((RunSignal)signal!).Set(), news);
        await using var heartbeat = time.CreateTimer(static signal => ((RunSignal)signal!).Set(), news, _heartbeat, _heartbeat);
        var lastWrite = time.GetTimestamp();
        while (true)
        {
            var slice = await log.ReadAsync(cursor, MaxBatchBytes, leave);
            if (!slice.Records.IsEmpty)
            {
                foreach (var record in slice.Records.Span)
                    body.Write(record.SseFrame);
                await FlushAsync(body, leave);
                cursor += slice.Records.Length;
                if (slice.State.Status != RunStatus.Running && cursor == slice.State.Tail)
                    return;
                lastWrite = time.GetTimestamp();
                continue;
            }

            await news.WaitAsync();
            leave.ThrowIfCancellationRequested();
            if (time.GetElapsedTime(lastWrite) >= _heartbeat)
            {
                body.Write(SseFrame.Heartbeat);
                await FlushAsync(body, leave);
            }
        }
    }

    // The flush result is not asked whether the peer is gone: RequestAborted says so, on every server.
    private static async Task FlushAsync(PipeWriter body, CancellationToken leave)
    {
        await body.FlushAsync(leave);
        leave.ThrowIfCancellationRequested();
    }
}
