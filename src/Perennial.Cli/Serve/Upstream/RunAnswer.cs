using Microsoft.AspNetCore.Http;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>Answers with a run that it finds by id. So a remembered answer does not keep the run in memory.</summary>
internal sealed class RunAnswer(StreamRuns runs, string id) : IResult
{
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        IResult answer = await runs.FindAsync(id, httpContext.RequestAborted) is { } run
            ? run
            : TypedResults.Problem(
                "The answer to this Idempotency-Key is no longer kept. Repeat the request with a new key.",
                statusCode: StatusCodes.Status410Gone);
        await answer.ExecuteAsync(httpContext);
    }
}
