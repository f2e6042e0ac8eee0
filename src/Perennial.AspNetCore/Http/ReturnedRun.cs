using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers the request of an application's own endpoint with a run, and with the URL where the run can be resumed.</summary>
internal static class ReturnedRun
{
    /// <summary>
    /// Answers as soon as the run is recorded, from after the event in <c>Last-Event-ID</c>. A request that is not a GET may start a run,
    /// so it begins with the first event if the id is of another run.
    /// </summary>
    /// <param name="context">The request.</param>
    /// <param name="recording">The run. If the store does not record it, the answer is 503.</param>
    public static async Task AnswerAsync(HttpContext context, Task<StreamRun> recording)
    {
        StreamRun run;
        try
        {
            run = await recording;
        }
        catch (RunStoreException e)
        {
            await Problem.StoreUnavailableAsync(context, e);
            return;
        }

        var requested = ResumePlace.RequestedBy(context.Request);
        var isAsked = HttpMethods.IsGet(context.Request.Method)
            || (RunEventId.TryParse(requested, out var id) && string.Equals(id.Epoch, run.Epoch, StringComparison.Ordinal));
        await AnswerAsync(context, run, isAsked ? requested : null);
    }

    /// <summary>Answers with the events after an id; null or empty for all events.</summary>
    public static async Task AnswerAsync(HttpContext context, StreamRun run, string? requested)
    {
        context.Response.Headers.ContentLocation = RunAddress.Of(context, run.Id);
        try
        {
            await context.RequestServices.GetRequiredService<RunResponse>().SendAsync(context, run.Events, requested);
        }
        catch (RunStoreException e) when (!context.Response.HasStarted)
        {
            await Problem.StoreUnavailableAsync(context, e);
        }
    }
}
