using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Requests;

/// <summary>Refuses a request with problem details (RFC 9457), never to be cached.</summary>
internal static class Problem
{
    public static Task NotFoundAsync(HttpContext context) =>
        SendAsync(context, StatusCodes.Status404NotFound, "There is no such run, or it is no longer kept.");

    public static Task NotAcceptableAsync(HttpContext context) => SendAsync(
        context, StatusCodes.Status406NotAcceptable, $"A run can be read as {MediaTypes.EventStream}, {MediaTypes.JsonLines} or {MediaTypes.Json}.");

    /// <summary>The field <c>Idempotency-Key</c> is not valid.</summary>
    public static Task BadKeyAsync(HttpContext context) => SendAsync(
        context, StatusCodes.Status400BadRequest, $"{IdempotencyKey.HeaderName} must be one string of 1 to {IdempotencyKey.Longest} visible ASCII characters.");

    /// <summary>The key came before with another request.</summary>
    public static Task KeyReusedAsync(HttpContext context) => SendAsync(
        context, StatusCodes.Status422UnprocessableEntity, $"This {IdempotencyKey.HeaderName} was used before, with another request.", RefusalReasons.KeyReused);

    /// <summary>The server cannot do it now; the request may be repeated after a while (RFC 9110, section 15.6.4).</summary>
    public static Task UnavailableAsync(HttpContext context, string detail, string reason)
    {
        context.Response.Headers.RetryAfter = "1";
        return SendAsync(context, StatusCodes.Status503ServiceUnavailable, detail, reason);
    }

    /// <summary>The store cannot be used, which is logged; the client is not told more than that.</summary>
    public static Task StoreUnavailableAsync(HttpContext context, RunStoreException failure)
    {
        Log.StoreUnavailable(context.RequestServices.GetRequiredService<ILogger<StreamRuns>>(), failure);
        context.Response.Clear();
        return UnavailableAsync(context, "Runs cannot be reached just now.", RefusalReasons.StoreUnavailable);
    }

    /// <summary>There is no place for a reader: not at this run, or not at this server.</summary>
    public static Task NoPlaceAsync(HttpContext context, PlaceOutcome outcome) => outcome == PlaceOutcome.RunIsFull
        ? TooManyAsync(context, ReaderPlaces.RunTaken, RefusalReasons.RunFull)
        : UnavailableAsync(context, ReaderPlaces.AllTaken, RefusalReasons.ServerFull);

    /// <summary>The server has enough for now; the request may be repeated after a while (RFC 6585, section 4).</summary>
    public static Task TooManyAsync(HttpContext context, string detail, string reason)
    {
        context.Response.Headers.RetryAfter = "1";
        return SendAsync(context, StatusCodes.Status429TooManyRequests, detail, reason);
    }

    /// <summary>Refuses, and counts it under a reason: what the status says, unless there is a better word.</summary>
    public static Task SendAsync(HttpContext context, int status, string detail, string? reason = null)
    {
        PerennialServerTelemetry.CountRefusal(reason ?? RefusalReasons.Of(status));
        context.Response.Headers.CacheControl = "no-store";    // a 404 may be cached unless told otherwise (RFC 9110, section 15.5.5)
        return TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
    }
}
