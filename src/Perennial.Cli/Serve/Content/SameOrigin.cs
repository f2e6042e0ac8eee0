using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Content;

/// <summary>Refuses requests from pages of other origins, which a browser names in <c>Origin</c>.</summary>
internal static class SameOrigin
{
    public static RequestDelegate Only(RequestDelegate answer) => context =>
    {
        var origin = context.Request.Headers.Origin.ToString();
        var isForeign = origin.Length > 0
            && !string.Equals(origin, $"{context.Request.Scheme}://{context.Request.Host}", StringComparison.OrdinalIgnoreCase);
        return isForeign
            ? TypedResults.Problem("Pages of other origins may not use this URL.", statusCode: StatusCodes.Status403Forbidden)
                .ExecuteAsync(context)
            : answer(context);
    };
}
