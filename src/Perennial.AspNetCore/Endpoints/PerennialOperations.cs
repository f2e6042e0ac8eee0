using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Endpoints;
using Perennial.AspNetCore.Requests;

namespace Perennial.AspNetCore;

/// <summary>Shows the status of this process to operators.</summary>
public static class PerennialOperations
{
    /// <summary>Maps a JSON document with the runs that this process produces and the readers that it serves.</summary>
    /// <param name="endpoints">The application.</param>
    /// <param name="pattern">The path, for example <c>/operations/streams</c>.</param>
    /// <returns>A builder for conventions. As for <c>MapPerennial</c>, the host does not start unless access is configured.</returns>
    /// <remarks>
    /// Runs are named by the beginning of their event ids, as in logs. Their own ids are not shown, because a client that knows the id of a
    /// run may be able to read it. At most the 1,000 newest runs are listed; <c>running</c> counts all.
    /// </remarks>
    public static IEndpointConventionBuilder MapPerennialOperations(
        this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string pattern)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(pattern);
        return endpoints.MapGet(pattern, AnswerAsync)
            .WithMetadata(new ServedRuns("MapPerennialOperations", pattern))
            .DisableCookieRedirect();
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
