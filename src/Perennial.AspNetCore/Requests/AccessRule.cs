using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Requests;

/// <summary>An authorization rule of the application, attached to the endpoints.</summary>
internal sealed record AccessRule(Func<RunAccess, ValueTask<bool>> Allows)
{
    /// <summary>Whether all rules of the endpoint that serves the request allow an action.</summary>
    public static async ValueTask<bool> AllowAsync(HttpContext context, RunAction action)
    {
        foreach (var rule in context.GetEndpoint()?.Metadata.GetOrderedMetadata<AccessRule>() ?? [])
        {
            if (!await rule.Allows(new RunAccess(context, action)))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Refuses a request; <see cref="AccessDecision"/> adds the problem details. A client without an identity gets a challenge if the
    /// application has a scheme for it.
    /// </summary>
    public static async Task RefuseAsync(HttpContext context)
    {
        var schemes = context.RequestServices.GetService<IAuthenticationSchemeProvider>();
        var isStranger = context.User.Identity?.IsAuthenticated != true;
        if (isStranger && schemes is not null && await schemes.GetDefaultChallengeSchemeAsync() is not null)
        {
            await context.ChallengeAsync();
        }
        else
        {
            context.Response.StatusCode = StatusCodes.Status403Forbidden;
        }
    }
}
