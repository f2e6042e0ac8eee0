using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore.Diagnostics;

namespace Perennial.AspNetCore.Requests;

/// <summary>Answers 503 if an endpoint of the application could not start its run and did not catch the exception.</summary>
/// <remarks>The platform's exception handlers run before a startup filter sees the exception, so each has a hook of its own here.</remarks>
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
        Problem.UnavailableAsync(context, "The server cannot start more runs at the moment. Try again later.", RefusalReasons.TooManyRuns);
}
