using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Requests;
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
    public async Task SendAsync(HttpContext context, RunLog log, string? requested)
    {
        PlatformPolicies.Exempt(context);
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

    private async Task ServeAsync(HttpContext context, RunLog log, ReaderPlace place, ResponseForm form, bool isAtTail)
    {
        try
        {
            if (form == ResponseForm.LongPoll)
            {
                await polls.SendAsync(context, log, place);
            }
            else
            {
                await streams.SendAsync(context, log, place, form, isAtTail);
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
