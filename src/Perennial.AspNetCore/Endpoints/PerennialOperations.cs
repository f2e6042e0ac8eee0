using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Endpoints;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore;

/// <summary>Shows operators what this process does.</summary>
public static class PerennialOperations
{
    /// <summary>Maps a JSON document of the runs this process produces and the readers it serves. Not there unless mapped.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">Where, for example <c>/operations/streams</c>.</param>
    /// <returns>A builder for conventions. As for <c>MapPerennial</c>, the host does not start before it is decided who may see it.</returns>
    /// <remarks>
    /// Runs are named by the beginning of their event ids, as in logs: whoever knows the id of a run may be able to read it, so ids are not shown.
    /// At most the 1,000 newest runs are listed; <c>running</c> counts all.
    /// </remarks>
    public static IEndpointConventionBuilder MapPerennialOperations(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        return endpoints.MapGet(pattern, AnswerAsync).WithMetadata(new ServedRuns("MapPerennialOperations", pattern)).DisableCookieRedirect();
    }

    private static async Task AnswerAsync(HttpContext context)
    {
        var runs = context.RequestServices.GetRequiredService<StreamRuns>();
        var readers = context.RequestServices.GetRequiredService<ReaderPlaces>();
        context.Response.Headers.CacheControl = "no-store";
        var report = await OperationsReport.MakeAsync(runs, readers, context.RequestAborted);
        await TypedResults.Json(report, OperationsJson.Default.OperationsReport).ExecuteAsync(context);
    }
}
