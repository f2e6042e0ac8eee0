using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers a request with a run, in the requested form. Safe from any thread.</summary>
internal sealed class RunResponse(
    IOptions<PerennialServerOptions> options, ReaderPlaces readers, StreamResponse streams, LongPollResponse polls)
{
    /// <summary>Answers with the events after the requested id, or with all events.</summary>
    /// <param name="context">The request.</param>
    /// <param name="log">The run.</param>
    /// <param name="requested">
    /// The last id that the reader has; null for none. If the run cannot resume after it, the reader gets a gap event.
    /// </param>
    /// <param name="dialectName">The dialect; null for that of the run. A gateway learns it after the run was recorded.</param>
    public async Task SendAsync(HttpContext context, RunLog log, string? requested, string? dialectName = null)
    {
        PlatformPolicies.Exempt(context);
        if ((dialectName ?? log.Dialect) is { } dialect && !context.Request.Headers.ContainsKey(WireHeaders.Protocol))
        {
            await SendDialectAsync(context, log, dialect, requested);
            return;
        }

        context.Response.Headers.Append("Vary", "Accept");
        var accept = context.Request.Headers.Accept;
        if ((HttpMethods.IsGet(context.Request.Method) ? ResponseForms.Choose(accept) : ResponseForms.ChooseForStart(accept)) is not { } form)
        {
            await Problem.NotAcceptableAsync(context);
            return;
        }

        var state = await log.GetStateAsync(context.RequestAborted);
        var place = ReaderPlace.After(log.Epoch, state, requested);
        WriteHeaders(context.Response, new RunEventId(log.Epoch, place.Cursor), form);
        if (place.HasEverything(state))
        {
            EndedResponse.Write(context.Response, state);
        }
        else if (readers.Take(log.Id, form.Kind()) is var outcome && outcome == PlaceOutcome.Had)
        {
            await ServeAsync(context, log, place, form, place.IsAtTail(state));
        }
        else
        {
            await Problem.NoPlaceAsync(context, outcome);
        }
    }

    /// <summary>Answers a reader that may know the dialect of the run, and nothing of Perennial.</summary>
    private async Task SendDialectAsync(HttpContext context, RunLog log, string name, string? requested)
    {
        if (options.Value.FindDialect(name) is not { } dialect)
        {
            await Problem.UnknownDialectAsync(context, name);
            return;
        }

        var state = await log.GetStateAsync(context.RequestAborted);
        var place = ReaderPlace.After(log.Epoch, state, requested);
        var form = dialect.Framing == DialectFraming.JsonLines ? ResponseForm.JsonLines : ResponseForm.Sse;
        context.Response.Headers.CacheControl = "no-store, no-transform";
        if (place.Gap is not null)
        {
            await Problem.NotResumableAsync(context);
        }
        else if (place.HasEverything(state) || (!string.IsNullOrEmpty(requested) && await HasWholeDialectAsync(log, place, state, dialect, context.RequestAborted)))
        {
            EndedResponse.Write(context.Response, state);
        }
        else if (readers.Take(log.Id, form.Kind()) is var outcome && outcome == PlaceOutcome.Had)
        {
            foreach (var (field, value) in dialect.ResponseHeaders)
            {
                context.Response.Headers.TryAdd(field, value);
            }

            await ServeAsync(context, log, place, form, place.IsAtTail(state), dialect);
        }
        else
        {
            await Problem.NoPlaceAsync(context, outcome);
        }
    }

    /// <summary>
    /// Whether a reader has all events of a run that is complete in its dialect. Such a reader gets no id of the end, and would come back
    /// for ever.
    /// </summary>
    private static async ValueTask<bool> HasWholeDialectAsync(
        RunLog log, ReaderPlace place, RunState state, Dialect dialect, CancellationToken cancellationToken) =>
        place.Cursor == state.Tail - 1
        && (state.Status == RunStatus.Completed
            || (state.Status == RunStatus.Stopped && (await RecordedDialect.ReadAsync(log, dialect, cancellationToken)).IsComplete));

    private async Task ServeAsync(
        HttpContext context, RunLog log, ReaderPlace place, ResponseForm form, bool isAtTail, Dialect? dialect = null)
    {
        try
        {
            if (form == ResponseForm.LongPoll)
            {
                await polls.SendAsync(context, log, place);
            }
            else
            {
                await streams.SendAsync(context, log, place, form, isAtTail, dialect);
            }
        }
        finally
        {
            readers.Leave(log.Id, form.Kind());
        }
    }

    private void WriteHeaders(HttpResponse response, RunEventId cursor, ResponseForm form)
    {
        response.Headers.CacheControl = "no-store, no-transform";
        response.Headers[WireHeaders.Protocol] = WireHeaders.Version;
        response.Headers[WireHeaders.Cursor] = cursor.ToString();
        // A held poll cannot send heartbeats. There the header is the longest time until the answer.
        var heartbeat = form == ResponseForm.LongPoll ? options.Value.LongPollHold : options.Value.HeartbeatInterval;
        response.Headers[WireHeaders.Heartbeat] = WireHeaders.FormatHeartbeat(heartbeat);
    }
}
