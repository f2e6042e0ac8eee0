using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;

namespace Perennial.AspNetCore.Http;

/// <summary>The URL where the application serves a run.</summary>
internal static class RunAddress
{
    /// <summary>The name of the endpoint that serves runs.</summary>
    public const string EndpointName = "Perennial.Read";

    /// <summary>Returns the path of a run, with the path base of the request.</summary>
    /// <exception cref="InvalidOperationException"><c>MapPerennial</c> was not called.</exception>
    public static string Of(HttpContext context, string id) => context.RequestServices.GetRequiredService<LinkGenerator>()
        .GetPathByName(context, EndpointName, new RouteValueDictionary { ["id"] = id })
        ?? throw new InvalidOperationException(
            "An endpoint returned a run that clients cannot resume: call app.MapPerennial(\"/streams\").");
}
