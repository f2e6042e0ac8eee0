using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;

namespace Perennial.AspNetCore.Http;

/// <summary>Answers 503 for an endpoint of the application that could not start its run and did not catch it.</summary>
internal sealed class RefusedStartFilter : IStartupFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(AnswerAsync);
        next(app);
    };

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (TooManyRunsException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await Problem.UnavailableAsync(context, "The server can start no more runs just now.");
        }
    }
}
