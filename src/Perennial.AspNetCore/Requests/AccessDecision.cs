using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Perennial.AspNetCore.Requests;

/// <summary>Marks the endpoints that serve or show runs.</summary>
/// <param name="Mapping">The method that mapped them.</param>
/// <param name="Prefix">The path prefix.</param>
internal sealed record ServedRuns(string Mapping, string Prefix);

/// <summary>Stops the start of a host without configured access to its runs, and writes the problem details of refused requests.</summary>
internal sealed class AccessDecision : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(ExplainAsync);
        next(app);
        RequireDecision(app.ApplicationServices);
    };

    private static void RequireDecision(IServiceProvider services)
    {
        if (services.GetService<IOptions<AuthorizationOptions>>()?.Value.FallbackPolicy is not null)
        {
            return;
        }

        foreach (var endpoint in services.GetService<EndpointDataSource>()?.Endpoints ?? [])
        {
            if (endpoint.Metadata.GetMetadata<ServedRuns>() is { } runs && !IsDecided(endpoint.Metadata))
            {
                throw new InvalidOperationException(
                    $"{runs.Mapping}(\"{runs.Prefix}\") has no access rule. On its result call RequireAuthorization(), AuthorizeRuns() " +
                    "or AllowAnonymous() if every client that knows the id of a run may use it.");
            }
        }
    }

    private static bool IsDecided(EndpointMetadataCollection metadata) =>
        metadata.GetMetadata<IAllowAnonymous>() is not null || metadata.GetMetadata<IAuthorizeData>() is not null
        || metadata.GetMetadata<AuthorizationPolicy>() is not null || metadata.GetMetadata<AccessRule>() is not null;

    private static async Task ExplainAsync(HttpContext context, RequestDelegate next)
    {
        await next(context);
        var response = context.Response;
        if (response.HasStarted || response.ContentType is not null || context.GetEndpoint()?.Metadata.GetMetadata<ServedRuns>() is null)
        {
            return;
        }

        if (response.StatusCode == StatusCodes.Status401Unauthorized)
        {
            await Problem.SendAsync(context, response.StatusCode, "Authentication is required to access runs.");
        }
        else if (response.StatusCode == StatusCodes.Status403Forbidden)
        {
            await Problem.SendAsync(context, response.StatusCode, "You are not allowed to access this run.");
        }
    }
}
