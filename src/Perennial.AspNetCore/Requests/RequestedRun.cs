using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Requests;

/// <summary>The run that a request names in its URL. It is looked up once for each request.</summary>
internal static class RequestedRun
{
    /// <summary>Finds the run of a request; null if there is none. Called by one caller at a time.</summary>
    public static async ValueTask<StreamRun?> FindAsync(HttpContext context)
    {
        if (context.Items.TryGetValue(typeof(RequestedRun), out var known))
        {
            return (StreamRun?)known;
        }

        var runs = context.RequestServices.GetRequiredService<StreamRuns>();
        var run = await runs.FindAsync((string)context.Request.RouteValues["id"]!, context.RequestAborted);
        context.Items[typeof(RequestedRun)] = run;
        return run;
    }
}
