using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.Requests;

/// <summary>Answers 503 for an endpoint of the application that could not start its run and did not catch it.</summary>
/// <remarks>The platform's own handlers of exceptions stand nearer to the endpoint than a startup filter, so each is told by its own means.</remarks>
internal sealed class RefusedStart : IStartupFilter, IExceptionHandler, IDeveloperPageExceptionFilter
{
    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) => app =>
    {
        app.Use(AnswerAsync);
        next(app);
    };

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not TooManyRunsException)
        {
            return false;
        }

        await AnswerAsync(httpContext);
        return true;
    }

    public Task HandleExceptionAsync(ErrorContext errorContext, Func<ErrorContext, Task> next) =>
        errorContext.Exception is TooManyRunsException ? AnswerAsync(errorContext.HttpContext) : next(errorContext);

    private static async Task AnswerAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (TooManyRunsException) when (!context.Response.HasStarted)
        {
            context.Response.Clear();
            await AnswerAsync(context);
        }
    }

    private static Task AnswerAsync(HttpContext context) =>
        Problem.UnavailableAsync(context, "The server can start no more runs just now.", RefusalReasons.TooManyRuns);
}
