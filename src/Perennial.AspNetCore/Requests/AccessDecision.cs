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
/// <param name="Prefix">Where.</param>
internal sealed record ServedRuns(string Mapping, string Prefix);

/// <summary>Lets no host start that does not say who may use its runs, and says the same to everybody who may not.</summary>
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
                    $"Who may read, stop and send to runs? {runs.Mapping}(\"{runs.Prefix}\") needs a decision: call RequireAuthorization(), AuthorizeRuns(...) or, " +
                    "where whoever knows the id of a run may use it, AllowAnonymous() on what it returns.");
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
            await Problem.SendAsync(context, response.StatusCode, "Runs are for those who say who they are.");
        }
        else if (response.StatusCode == StatusCodes.Status403Forbidden)
        {
            await Problem.SendAsync(context, response.StatusCode, "This is not for you.");
        }
    }
}
