using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Answers with a run, by its name alone: remembering it keeps nothing of the run.</summary>
internal sealed class RunAnswer(StreamRuns runs, string id) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        IResult answer = await runs.FindAsync(id, httpContext.RequestAborted) is { } run
            ? run
            : TypedResults.Problem("This was answered before, and the answer is no longer kept.", statusCode: StatusCodes.Status410Gone);
        await answer.ExecuteAsync(httpContext);
    }
}
