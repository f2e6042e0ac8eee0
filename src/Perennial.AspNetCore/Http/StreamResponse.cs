using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Sends a run in one response, as SSE or as JSON lines. Ends it cleanly after the end of a run that did not fail, and never otherwise.</summary>
/// <remarks>
/// <para>
/// Common AI clients take a clean end of the response for success, so every other way out aborts the connection: also the end of a run that
/// failed, after the event that says so, unless the request has the header <c>Perennial-Protocol</c> and its sender therefore knows that event.
/// </para>
/// <para>Safe from any thread.</para>
/// </remarks>
internal sealed class StreamResponse(IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    // What was flushed needs a moment to leave before the abort, which would take it along. That moment is the network's and the host's, so it
    // is measured by the system's clock: a host on a clock that stands still has to stop too.
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromMilliseconds(250);

    /// <summary>Sends what follows a place.</summary>
    /// <param name="context">The request, whose headers are written.</param>
    /// <param name="log">What to read.</param>
    /// <param name="place">Where to begin.</param>
    /// <param name="form">SSE or JSON lines.</param>
    /// <param name="isAtTail">Whether there is nothing to tell the reader yet.</param>
    public async Task SendAsync(HttpContext context, RunLog log, ReaderPlace place, ResponseForm form, bool isAtTail)
    {
        using var stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, stalled.Token);
        var sink = Open(context, form, stalled);
        if (isAtTail)
        {
            sink.WriteHeartbeat();      // a reader is promised a first byte, by which it knows that no proxy holds the others back
        }

        try
        {
            var status = await new RunDelivery(log, sink, options.Value.HeartbeatInterval, time).SendAsync(place, leave.Token);
            if (status == RunStatus.Failed && !context.Request.Headers.ContainsKey(WireHeaders.Protocol))
            {
                await LetLeaveAsync(context.RequestAborted);
                context.Abort();
            }
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await SendAwayAsync(sink, context.RequestAborted);
            }

            if (stalled.IsCancellationRequested)
            {
                PerennialServerTelemetry.CountCut(form.Kind().Name());
            }

            context.Abort();
        }
        catch (RunStoreException)
        {
            context.Abort();
        }
    }

    private static async Task SendAwayAsync(IRunSink sink, CancellationToken aborted)
    {
        using var limit = new CancellationTokenSource(TimeToLeave, TimeProvider.System);
        using var isLeft = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, aborted);
        sink.Write(ControlEvent.ComeBackSoon());
        try
        {
            await sink.FlushAsync(isLeft.Token);
        }
        catch (OperationCanceledException)
        {
            return;     // it does not read
        }

        await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, isLeft.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Waits until what was flushed had its time to leave, or the reader has closed the connection.</summary>
    private static async Task LetLeaveAsync(CancellationToken aborted) =>
        await Task.Delay(TimeToLeave, TimeProvider.System, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private IRunSink Open(HttpContext context, ResponseForm form, CancellationTokenSource stalled)
    {
        var response = context.Response;
        response.ContentType = form == ResponseForm.Sse ? MediaTypes.EventStream : MediaTypes.JsonLines;
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        // A reader that pauses is not an attack: it holds a cursor and one socket buffer. It has its own, longer limit.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        return form == ResponseForm.Sse
            ? new SseSink(response.BodyWriter, stalled, options.Value.ReaderStallLimit)
            : new JsonLinesSink(response.BodyWriter, stalled, options.Value.ReaderStallLimit);
    }
}
