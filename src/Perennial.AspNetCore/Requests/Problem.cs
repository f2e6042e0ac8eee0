using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Requests;

/// <summary>Refuses a request with problem details (RFC 9457) that must not be cached.</summary>
internal static class Problem
{
    public static Task NotFoundAsync(HttpContext context) =>
        SendAsync(context, StatusCodes.Status404NotFound, "The run does not exist or is no longer kept.");

    public static Task NotAcceptableAsync(HttpContext context) => SendAsync(
        context,
        StatusCodes.Status406NotAcceptable,
        $"A run can be read as {MediaTypes.EventStream}, {MediaTypes.JsonLines} or {MediaTypes.Json}.");

    /// <summary>Refuses an invalid <c>Idempotency-Key</c>.</summary>
    public static Task BadKeyAsync(HttpContext context) => SendAsync(
        context,
        StatusCodes.Status400BadRequest,
        $"{IdempotencyKey.HeaderName} must be one string of 1 to {IdempotencyKey.Longest} visible ASCII characters.");

    /// <summary>Refuses a key that was used with another request.</summary>
    public static Task KeyReusedAsync(HttpContext context) => SendAsync(
        context,
        StatusCodes.Status422UnprocessableEntity,
        $"This {IdempotencyKey.HeaderName} was used before, with another request.",
        RefusalReasons.KeyReused);

    /// <summary>Refuses to resume, because the client would take a repetition for the continuation.</summary>
    public static Task NotResumableAsync(HttpContext context) => SendAsync(
        context,
        StatusCodes.Status410Gone,
        $"The run cannot be resumed after this event. Read it from its start, without {WireHeaders.LastEventId}.");

    /// <summary>Refuses to send a run in a dialect that this node does not know.</summary>
    public static Task UnknownDialectAsync(HttpContext context, string name) => SendAsync(
        context, StatusCodes.Status500InternalServerError,
        $"This server does not know the dialect '{name}' of the run. It must be in {nameof(PerennialServerOptions)}.{nameof(PerennialServerOptions.Dialects)}.");

    /// <summary>Answers 503: the client may repeat the request later (RFC 9110, section 15.6.4).</summary>
    public static Task UnavailableAsync(HttpContext context, string detail, string reason)
    {
        context.Response.Headers.RetryAfter = "1";
        return SendAsync(context, StatusCodes.Status503ServiceUnavailable, detail, reason);
    }

    /// <summary>Logs the failure of the store, and answers 503 without its details.</summary>
    public static Task StoreUnavailableAsync(HttpContext context, RunStoreException failure)
    {
        Log.StoreUnavailable(context.RequestServices.GetRequiredService<ILogger<StreamRuns>>(), failure);
        context.Response.Clear();
        return UnavailableAsync(
            context, "The store of runs is not available at the moment. Try again later.", RefusalReasons.StoreUnavailable);
    }

    /// <summary>Refuses a reader beyond the limit of the run or of the server.</summary>
    public static Task NoPlaceAsync(HttpContext context, PlaceOutcome outcome) => outcome == PlaceOutcome.RunIsFull
        ? TooManyAsync(context, ReaderPlaces.RunTaken, RefusalReasons.RunFull)
        : UnavailableAsync(context, ReaderPlaces.AllTaken, RefusalReasons.ServerFull);

    /// <summary>Answers 429: the client may repeat the request later (RFC 6585, section 4).</summary>
    public static Task TooManyAsync(HttpContext context, string detail, string reason)
    {
        context.Response.Headers.RetryAfter = "1";
        return SendAsync(context, StatusCodes.Status429TooManyRequests, detail, reason);
    }

    /// <summary>Refuses a request, and counts the refusal under a reason; by default the reason of the status.</summary>
    public static Task SendAsync(HttpContext context, int status, string detail, string? reason = null)
    {
        PerennialServerTelemetry.CountRefusal(reason ?? RefusalReasons.Of(status));
        context.Response.Headers.CacheControl = "no-store";    // without this a 404 may be cached (RFC 9110, section 15.5.5)
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }
}
