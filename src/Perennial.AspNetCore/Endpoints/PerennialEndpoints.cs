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
    /// <summary>Maps reading, stopping, looking up and sending to runs under a prefix. Call it once per application.</summary>
    /// <remarks>
    /// <list type="table">
    /// <item>
    /// <term>GET /{id}</term>
    /// <description>
    /// The run as <c>text/event-stream</c>, <c>application/x-ndjson</c> or, by long polling, <c>application/json</c>, as the field
    /// <c>Accept</c> has it (406 where it allows none), after the event named by the header <c>Last-Event-ID</c> or else the query parameter
    /// <c>lastEventId</c>, or from the first event. An id that cannot be honoured is answered by the event <c>perennial.gap</c>, then
    /// everything from the oldest event. A reader that already has the end gets 204. A WebSocket handshake is answered by a WebSocket,
    /// which speaks <c>perennial.v1</c> where the client offers it and also takes messages and stops the run; <c>UseWebSockets</c> need not
    /// be called. Pages of other origins are refused with 403 (<see cref="WebSocketServerOptions.AllowedOrigins"/>).
    /// </description>
    /// </item>
    /// <item>
    /// <term>HEAD /{id}</term>
    /// <description>The newest event's id in <c>Perennial-Tail</c> (sequence 0: none yet) and the run's state in <c>Perennial-Status</c>.</description>
    /// </item>
    /// <item>
    /// <term>POST /{id}</term>
    /// <description>
    /// Sends the body to the run's <see cref="RunOptions.OnMessage"/>, once for each <c>Idempotency-Key</c> of its sender. 202 when it is recorded, 409 after
    /// the end, 405 where the run takes no messages, 413, 415, 422 where the key came with another body, and 429 while too many wait.
    /// </description>
    /// </item>
    /// <item>
    /// <term>DELETE /{id}</term>
    /// <description>Stops the run. 200 with <c>{"status":"…"}</c>: how the run ended, which is not <c>stopped</c> when it had ended before.</description>
    /// </item>
    /// </list>
    /// The host does not start before it is decided who may do that: by <c>RequireAuthorization()</c>, by
    /// <see cref="RunAuthorization.AuthorizeRuns{TBuilder}"/>, or by <c>AllowAnonymous()</c>, which lets in whoever knows the id of a run. A fallback policy
    /// of the application is a decision too. Who is not allowed gets 401 or 403. An unknown id is answered by 404, more than a limit of the run
    /// by 429, a server that is full or cannot reach its store by 503 with <c>Retry-After</c>; every refusal has
    /// problem details (RFC 9457).
    /// </remarks>
    /// <param name="endpoints">The application.</param>
    /// <param name="prefix">Where, for example <c>/streams</c>.</param>
    /// <returns>A builder for conventions that hold for all of them, such as authorisation.</returns>
    public static IEndpointConventionBuilder MapPerennial(this IEndpointRouteBuilder endpoints, [StringSyntax("Route")] string prefix)
    {
        ArgumentNullException.ThrowIfNull(endpoints);
        ArgumentNullException.ThrowIfNull(prefix);
        var group = endpoints.MapGroup(prefix);
        group.WithMetadata([new ServedRuns(nameof(MapPerennial), prefix), .. PlatformPolicies.Exemptions]).DisableCookieRedirect();
        // A WebSocket over HTTP/2 is opened by CONNECT (RFC 8441, section 4).
        var read = With(context => string.IsNullOrEmpty(ResumePlace.RequestedBy(context.Request)) ? RunAction.Read : RunAction.Resume, ReadAsync);
        group.MapMethods("/{id}", [HttpMethods.Get, HttpMethods.Connect], context => AdmitAsync(context, read)).WithName(RunAddress.EndpointName);
        group.MapMethods("/{id}", [HttpMethods.Head], With(_ => RunAction.Read, DescribeAsync));
        group.MapPost("/{id}", With(_ => RunAction.Send, ReceiveAsync));
        group.MapDelete("/{id}", With(_ => RunAction.Stop, StopAsync));
        return group;
    }

    private static RequestDelegate With(Func<HttpContext, RunAction> action, Func<HttpContext, RunLog, Task> answer) => async context =>
    {
        try
        {
            if (!await AccessRule.AllowAsync(context, action(context)))
            {
                await AccessRule.RefuseAsync(context);
            }
            else if (await FindAsync(context) is { } log)
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

    private static async ValueTask<RunLog?> FindAsync(HttpContext context)
    {
        var runs = context.RequestServices.GetRequiredService<StreamRuns>();
        var run = await runs.FindAsync((string)context.Request.RouteValues["id"]!, context.RequestAborted);
        return run?.Events;
    }

    /// <summary>Refuses a handshake that is not to be answered whatever it asks for.</summary>
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

    private static Task ReadAsync(HttpContext context, RunLog log) => SocketEndpoint.IsAskedBy(context)
        ? context.RequestServices.GetRequiredService<SocketEndpoint>().ServeAsync(context, log, ResumePlace.RequestedBy(context.Request))
        : context.RequestServices.GetRequiredService<RunResponse>().SendAsync(context, log, ResumePlace.RequestedBy(context.Request));

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
