using Microsoft.AspNetCore.Http;

namespace Perennial.Cli.Serve.Content;

/// <summary>Keeps pages of other origins from having this server do something: a browser tells where a request comes from.</summary>
internal static class SameOrigin
{
    public static RequestDelegate Only(RequestDelegate answer) => context =>
    {
        var origin = context.Request.Headers.Origin.ToString();
        var isForeign = origin.Length > 0 && !string.Equals(origin, $"{context.Request.Scheme}://{context.Request.Host}", StringComparison.OrdinalIgnoreCase);
        return isForeign
            ? TypedResults.Problem("Pages of other origins may not ask for this.", statusCode: StatusCodes.Status403Forbidden).ExecuteAsync(context)
            : answer(context);
    };
}
