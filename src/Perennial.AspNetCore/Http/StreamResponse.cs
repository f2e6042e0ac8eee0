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

/// <summary>
/// Sends a run in one response, as SSE or as JSON lines. The response ends normally only after the end of a run that did not fail.
/// </summary>
/// <remarks>
/// <para>
/// Common AI clients take a normal end of the response for success. So in every other case the server aborts the connection: also after the
/// event that ends a failed run, unless the request has the header <c>Perennial-Protocol</c>, which means that the client handles that
/// event.
/// </para>
/// <para>Safe from any thread.</para>
/// </remarks>
internal sealed class StreamResponse(IOptions<PerennialServerOptions> options, TimeProvider time, IHostApplicationLifetime lifetime)
{
    // An abort discards flushed bytes that have not left yet, so it waits a moment. This wait uses the system's clock, because the network
    // does: a host whose own clock stands still must stop too.
    private static readonly TimeSpan TimeToLeave = TimeSpan.FromMilliseconds(250);

    /// <summary>Sends the events after a place.</summary>
    /// <param name="context">The request. The headers of its response are already set.</param>
    /// <param name="log">The run.</param>
    /// <param name="place">The place to begin.</param>
    /// <param name="form">SSE or JSON lines.</param>
    /// <param name="isAtTail">Whether the reader has all events so far.</param>
    /// <param name="dialect">The dialect of a reader that does not know Perennial; otherwise null.</param>
    public async Task SendAsync(
        HttpContext context, RunLog log, ReaderPlace place, ResponseForm form, bool isAtTail, Dialect? dialect = null)
    {
        using var stalled = new CancellationTokenSource(Timeout.InfiniteTimeSpan, time);
        using var leave =
            CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, stalled.Token);
        var sink = Open(context, form, dialect, stalled);
        if (isAtTail)
        {
            sink.WriteHeartbeat();      // the protocol promises a first byte at once, by which a reader knows that no proxy buffers
        }

        try
        {
            var status = await new RunDelivery(log, sink, options.Value.HeartbeatInterval, time).SendAsync(place, leave.Token);
            var isClean = sink is DialectSink reader
                ? await reader.EndAsync(log, status, leave.Token)
                : status != RunStatus.Failed || context.Request.Headers.ContainsKey(WireHeaders.Protocol);
            if (!isClean)
            {
                await LetLeaveAsync(context.RequestAborted);
                context.Abort();
            }
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            await CutAsync(context, sink, form, stalled.IsCancellationRequested);
        }
        catch (RunStoreException)
        {
            // Some clients repeat a POST, and pay twice, if the connection breaks off before the head of the response.
            await LetLeaveAsync(context.RequestAborted);
            context.Abort();
        }
    }

    /// <summary>Aborts a response that cannot go on: the host stops, the reader has stalled, or its connection is gone.</summary>
    private async Task CutAsync(HttpContext context, IRunSink sink, ResponseForm form, bool isStalled)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested)
        {
            await SendAwayAsync(sink, context.RequestAborted);
        }

        if (isStalled)
        {
            PerennialServerTelemetry.CountCut(form.Kind().Name());
        }

        context.Abort();
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
            return;     // the reader does not read
        }

        await Task.Delay(
            Timeout.InfiniteTimeSpan, TimeProvider.System, isLeft.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Waits until flushed bytes had time to leave, or the reader has closed the connection.</summary>
    private static async Task LetLeaveAsync(CancellationToken aborted) =>
        await Task.Delay(TimeToLeave, TimeProvider.System, aborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private IRunSink Open(HttpContext context, ResponseForm form, Dialect? dialect, CancellationTokenSource stalled)
    {
        var response = context.Response;
        response.ContentType = dialect?.ContentType ?? (form == ResponseForm.Sse ? MediaTypes.EventStream : MediaTypes.JsonLines);
        response.Headers["X-Accel-Buffering"] = "no";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        // Kestrel's limit on slow readers is off: a reader that pauses takes only a cursor and one socket buffer, and has a longer limit
        // of its own.
        if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
        {
            rate.MinDataRate = null;
        }

        return dialect is not null ? new DialectSink(response.BodyWriter, dialect, stalled, options.Value.ReaderStallLimit)
            : form == ResponseForm.Sse
            ? new SseSink(response.BodyWriter, stalled, options.Value.ReaderStallLimit)
            : new JsonLinesSink(response.BodyWriter, stalled, options.Value.ReaderStallLimit);
    }
}
