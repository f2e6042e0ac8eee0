using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Http;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.WebSockets;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Serves runs over HTTP.</summary>
public static class PerennialEndpoints
{
    /// <summary>
    /// Maps endpoints under a prefix that read runs, query their status, send messages to them and stop them. Call it once per application.
    /// </summary>
    /// <remarks>
    /// <list type="table">
    /// <item>
    /// <term>GET /{id}</term>
    /// <description>
    /// Sends the run as <c>text/event-stream</c>, <c>application/x-ndjson</c> or, by long polling, <c>application/json</c>. The field
    /// <c>Accept</c> selects the form (406 if it allows none). The run begins after the event in the header <c>Last-Event-ID</c>, or else
    /// in the query parameter <c>lastEventId</c>, or with the first event. If the server cannot resume after the id, it sends the event
    /// <c>perennial.gap</c> and then all events from the oldest. A reader that already has the end gets 204. A WebSocket handshake opens a
    /// WebSocket. It speaks <c>perennial.v1</c> if the client offers it, and also accepts messages and stops. <c>UseWebSockets</c> is not
    /// needed. Pages of other origins get 403 (<see cref="WebSocketServerOptions.AllowedOrigins"/>).
    /// </description>
    /// </item>
    /// <item>
    /// <term>HEAD /{id}</term>
    /// <description>
    /// Returns the id of the newest event in <c>Perennial-Tail</c> (sequence 0: no event yet) and the run's status in
    /// <c>Perennial-Status</c>.
    /// </description>
    /// </item>
    /// <item>
    /// <term>POST /{id}</term>
    /// <description>
    /// Sends the body to the run's <see cref="RunOptions.OnMessage"/>, once for each <c>Idempotency-Key</c> of its sender. The answer is
    /// 202 when the message is recorded, 409 after the end, 405 if the run does not accept messages, 413, 415, 422 if the key was used with
    /// another body, and 429 while too many messages wait.
    /// </description>
    /// </item>
    /// <item>
    /// <term>DELETE /{id}</term>
    /// <description>
    /// Stops the run. The answer is 200 with <c>{"status":"…"}</c>: how the run ended, which is not <c>stopped</c> if it had ended before.
    /// </description>
    /// </item>
    /// </list>
    /// The host does not start unless access is configured: by <c>RequireAuthorization()</c>, by
    /// <see cref="RunAuthorization.AuthorizeRuns{TBuilder}"/>, by a fallback policy of the application, or by <c>AllowAnonymous()</c>,
    /// which allows every client that knows the id of a run. A client without access gets 401 or 403. An unknown id gets 404. A request
    /// beyond a limit of the run gets 429. A server that is full or cannot reach its store answers 503 with <c>Retry-After</c>. Every
    /// refusal has problem details (RFC 9457).
    /// </remarks>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">The path prefix, for example <c>/streams</c>.</param>
    /// <returns>A builder for conventions of all endpoints, such as authorization.</returns>
    public static IEndpointConventionBuilder MapPerennial(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        var group = endpoints.MapGroup(prefix);
        group.WithMetadata([new ServedRuns(nameof(MapPerennial), prefix), .. PlatformPolicies.Exemptions]).DisableCookieRedirect();
        MapRuns(group, ReadAsync).WithName(RunAddress.EndpointName);
        return group;
    }

    /// <summary>Maps the endpoints of runs. Returns the endpoint that reads a run.</summary>
    /// <param name="group">Where to map them.</param>
    /// <param name="answer">Answers a reader that does not open a WebSocket.</param>
    internal static IEndpointConventionBuilder MapRuns(IEndpointRouteBuilder group, Func<HttpContext, RunLog, Task> answer)
    {
        var read = With(
            context => string.IsNullOrEmpty(ResumePlace.RequestedBy(context.Request)) ? RunAction.Read : RunAction.Resume,
            (context, log) => SocketEndpoint.IsAskedBy(context) ? ServeSocketAsync(context, log) : answer(context, log));
        group.MapMethods("/{id}", [HttpMethods.Head], With(_ => RunAction.Read, DescribeAsync));
        group.MapPost("/{id}", With(_ => RunAction.Send, ReceiveAsync));
        group.MapDelete("/{id}", With(_ => RunAction.Stop, StopAsync));
        // A WebSocket over HTTP/2 is opened by CONNECT (RFC 8441, section 4).
        return group.MapMethods("/{id}", [HttpMethods.Get, HttpMethods.Connect], context => AdmitAsync(context, read));
    }

    private static RequestDelegate With(Func<HttpContext, RunAction> action, Func<HttpContext, RunLog, Task> answer) => async context =>
    {
        try
        {
            if (!await AccessRule.AllowAsync(context, action(context)))
            {
                await AccessRule.RefuseAsync(context);
            }
            else if (await RequestedRun.FindAsync(context) is { Events: var log })
            {
                await answer(context, log);
            }
            else
            {
                await Problem.NotFoundAsync(context);
            }
        }
        catch (RunStoreException e) when (!context.Response.HasStarted)
        {
            await Problem.StoreUnavailableAsync(context, e);
        }
    };

    /// <summary>Refuses a handshake that is invalid or comes from a page without access, before the run is looked up.</summary>
    private static async Task AdmitAsync(HttpContext context, RequestDelegate read)
    {
        if (!SocketEndpoint.IsAskedBy(context))
        {
            if (HttpMethods.IsConnect(context.Request.Method))
            {
                context.Response.StatusCode = StatusCodes.Status405MethodNotAllowed;
            }
            else
            {
                await read(context);
            }
        }
        else if (await context.RequestServices.GetRequiredService<SocketEndpoint>().AdmitAsync(context))
        {
            await read(context);
        }
    }

    private static Task ServeSocketAsync(HttpContext context, RunLog log) =>
        context.RequestServices.GetRequiredService<SocketEndpoint>().ServeAsync(context, log, ResumePlace.RequestedBy(context.Request));

    private static Task ReadAsync(HttpContext context, RunLog log) =>
        context.RequestServices.GetRequiredService<RunResponse>().SendAsync(context, log, ResumePlace.RequestedBy(context.Request));

    private static Task ReceiveAsync(HttpContext context, RunLog log) =>
        context.RequestServices.GetRequiredService<MessageEndpoint>().ReceiveAsync(context, log);

    private static async Task DescribeAsync(HttpContext context, RunLog log)
    {
        var state = await log.GetStateAsync(context.RequestAborted);
        var headers = context.Response.Headers;
        headers.CacheControl = "no-store";
        headers[WireHeaders.Protocol] = WireHeaders.Version;
        headers[WireHeaders.Tail] = new RunEventId(log.Epoch, state.Tail).ToString();
        headers[WireHeaders.Status] = state.Status.Name();
    }

    private static async Task StopAsync(HttpContext context, RunLog log)
    {
        var status = await log.CloseAsync(RunEnd.Stopped, CancellationToken.None);
        await TypedResults.Json(new StatusData(status.Name()), WireJson.Default.StatusData).ExecuteAsync(context);
    }
}
