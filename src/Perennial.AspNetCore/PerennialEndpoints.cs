using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Primitives;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>Serves runs over HTTP.</summary>
public static class PerennialEndpoints
{
    internal const string ReadEndpoint = "Perennial.Read";

    /// <summary>Maps reading, stopping and looking up runs under a prefix. Call it once per application.</summary>
    /// <remarks>
    /// <list type="table">
    /// <item>
    /// <term>GET /{id}</term>
    /// <description>
    /// The run as <c>text/event-stream</c>, after the event named by the header <c>Last-Event-ID</c> or else the query parameter
    /// <c>lastEventId</c>, or from the first event. An id that cannot be honoured is answered by the event <c>perennial.gap</c>, then
    /// everything from the oldest event. A reader that already has the end gets 204.
    /// </description>
    /// </item>
    /// <item>
    /// <term>HEAD /{id}</term>
    /// <description>The newest event's id in <c>Perennial-Tail</c> (sequence 0: none yet) and the run's state in <c>Perennial-Status</c>.</description>
    /// </item>
    /// <item>
    /// <term>DELETE /{id}</term>
    /// <description>Stops the run. 200 with <c>{"status":"…"}</c>: how the run ended, which is not <c>stopped</c> when it had ended before.</description>
    /// </item>
    /// </list>
    /// An unknown id is answered by 404 as problem details (RFC 9457).
    /// </remarks>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">Where, for example <c>/streams</c>.</param>
    /// <returns>A builder for conventions that hold for all three, such as authorisation.</returns>
    public static IEndpointConventionBuilder MapPerennial(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        var group = endpoints.MapGroup(prefix);
        group.MapGet("/{id}", ReadAsync).WithName(ReadEndpoint);
        group.MapMethods("/{id}", [HttpMethods.Head], DescribeAsync);
        group.MapDelete("/{id}", StopAsync);
        return group;
    }

    private static async Task ReadAsync(HttpContext context)
    {
        if (await FindAsync(context) is { } log)
            await context.RequestServices.GetRequiredService<RunResponse>().SendAsync(context, log, LastEventId(context.Request));
        else
            await Problem.NotFoundAsync(context);
    }

    private static async Task DescribeAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } log)
        {
            await Problem.NotFoundAsync(context);
            return;
        }

        var state = await log.GetStateAsync(context.RequestAborted);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers[WireNames.ProtocolHeader] = "1";
        headers[WireNames.TailHeader] = new EventId(log.Epoch, state.Tail).ToString();
        headers[WireNames.StatusHeader] = WireNames.Of(state.Status);
    }

    private static async Task StopAsync(HttpContext context)
    {
        if (await FindAsync(context) is not { } log)
        {
            await Problem.NotFoundAsync(context);
            return;
        }

        var status = await log.CloseAsync(RunEnd.Stopped, CancellationToken.None);
        await TypedResults.Json(new StatusBody(WireNames.Of(status)), WireJson.Default.StatusBody).ExecuteAsync(context);
    }

    private static async ValueTask<IRunLog?> FindAsync(HttpContext context)
    {
        var runs = context.RequestServices.GetRequiredService<StreamRuns>();
        var run = await runs.FindAsync((string)context.Request.RouteValues["id"]!, context.RequestAborted);
        return run is null ? null : await run.Events;
    }

    private static string? LastEventId(HttpRequest request)
    {
        var header = request.Headers[WireNames.LastEventIdHeader];
        return StringValues.IsNullOrEmpty(header) ? request.Query[WireNames.LastEventIdQuery].ToString() : header.ToString();
    }
}
