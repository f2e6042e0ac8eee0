using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore.Requests;
using Perennial.AspNetCore.Starts;

namespace Perennial.AspNetCore;

/// <summary>Lets endpoints that start runs start one run for each <c>Idempotency-Key</c>.</summary>
public static class StartOnceEndpoints
{
    /// <summary>
    /// Starts one run for requests with the same <c>Idempotency-Key</c>, the same credentials and the same body. An endpoint that returns a
    /// <see cref="StartingRun"/> or a <see cref="StreamRun"/>, also in a task or in <c>Results</c>, does this by itself; call it where the
    /// return type does not say so, such as <c>IResult</c>.
    /// </summary>
    /// <typeparam name="TBuilder">The type of the builder.</typeparam>
    /// <param name="endpoint">What a mapping method such as <c>MapPost</c> returned.</param>
    /// <returns>The same builder.</returns>
    /// <remarks>
    /// <para>
    /// Every answer to a request that is not a GET or a HEAD has the header <c>Perennial-Starts: once</c>. The key stands for the first run that the handler
    /// starts, from when the store has it. A repeat is answered with that run, on any node that shares the store, and the handler is not called
    /// again. While the first request is still being handled, a repeat waits. The same key with another method, path or body is refused with
    /// 422, a key that is not valid with 400, a body larger than <see cref="StartOptions.MaxBodyBytes"/> with 413, and a repeat after the
    /// run is forgotten with 410 (draft-ietf-httpapi-idempotency-key-header). Where the handler started no run, the key is free again.
    /// </para>
    /// <para>
    /// Credentials are the authenticated user, or where there is none the headers <c>Authorization</c> and <c>Cookie</c>; and in both cases
    /// the headers <c>X-Api-Key</c> and <c>Api-Key</c>.
    /// </para>
    /// </remarks>
    public static TBuilder StartsOnce<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        endpoint.Add(Apply);
        return endpoint;
    }

    /// <summary>Puts the check before the binding of parameters, which reads the body.</summary>
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
