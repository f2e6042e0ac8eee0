using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Starts;

namespace Perennial.AspNetCore;

/// <summary>Makes endpoints start one run for each <c>Idempotency-Key</c>.</summary>
public static class StartOnceEndpoints
{
    /// <summary>
    /// Starts one run for all requests with the same <c>Idempotency-Key</c>, credentials and body. An endpoint that returns a
    /// <see cref="StartingRun"/> or a <see cref="StreamRun"/>, also in a task or in <c>Results</c>, does this without a call. Call it if
    /// the return type does not show the run, for example <c>IResult</c>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="endpoint">The result of a mapping method such as <c>MapPost</c>.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// Every response to a request other than GET and HEAD has the header <c>Perennial-Starts: once</c>. The key belongs to the first run
    /// that the handler starts, as soon as the store has recorded it. A repeat gets that run, on any node that shares the store, without
    /// another call of the handler. A repeat waits while the first request is still being handled. The same key with another method, path
    /// or body gets 422, an invalid key 400, a body larger than <see cref="StartOptions.MaxBodyBytes"/> 413, and a repeat after the run is
    /// forgotten 410 (draft-ietf-httpapi-idempotency-key-header). If the handler started no run, the key can be used again.
    /// </para>
    /// <para>
    /// Credentials are the authenticated user, or without one the headers <c>Authorization</c> and <c>Cookie</c>; and in both cases the
    /// headers <c>X-Api-Key</c> and <c>Api-Key</c>.
    /// </para>
    /// </remarks>
    public static TBuilder StartsOnce<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Add(Apply);
        return endpoint;
    }

    /// <summary>Runs the check before the binding of parameters, which reads the body.</summary>
    internal static void Apply(EndpointBuilder builder)
    {
        if (builder.RequestDelegate is not { } handler || builder.Metadata.OfType<Marker>().Any())
        {
            return;
        }

        builder.Metadata.Add(new Marker());
        foreach (var exemption in PlatformPolicies.Exemptions)
        {
            builder.Metadata.Add(exemption);
        }

        builder.RequestDelegate = context => IsSafe(context.Request.Method)
            ? handler(context)
            : context.RequestServices.GetRequiredService<KeyedStarts>().AnswerAsync(context, handler);
    }

    private static bool IsSafe(string method) =>
        HttpMethods.IsGet(method) || HttpMethods.IsHead(method) || HttpMethods.IsOptions(method) || HttpMethods.IsTrace(method);

    private sealed class Marker;
}
