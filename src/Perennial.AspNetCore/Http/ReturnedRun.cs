using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers the request of an application's own endpoint with a run, and with the URL where the run can be resumed.</summary>
internal static class ReturnedRun
{
    /// <summary>
    /// Answers as soon as the run is recorded: a GET from after the event in its <c>Last-Event-ID</c>, other methods from the first event.
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

        await AnswerAsync(context, run, HttpMethods.IsGet(context.Request.Method) ? ResumePlace.RequestedBy(context.Request) : null);
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
