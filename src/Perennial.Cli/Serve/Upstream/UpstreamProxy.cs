using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;
using Perennial.Cli.Arguments;
using Perennial.Cli.Serve.Content;
using Perennial.Http;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Answers a POST to the upstream's path with a run: sends the request upstream once, and numbers and keeps the response. A client that
/// loses its connection reads on at <c>Content-Location</c>, or repeats the POST with its <c>Idempotency-Key</c>; neither causes a second
/// request upstream. A response that is not a stream is passed on unchanged. Requests of clients are not logged.
/// </summary>
internal sealed class UpstreamProxy(UpstreamRequest upstream) : IServedContent
{
    /// <summary>Long enough for a client that was in a tunnel or on a closed laptop.</summary>
    private static readonly RunOptions Kept = new() { Retention = TimeSpan.FromHours(1) };

    public void Configure(PerennialServerOptions server)
    {
    }

    public void Listen(KestrelServerOptions kestrel)
    {
    }

    public void Map(WebApplication app)
    {
        var services = app.Services;
        var runs = services.GetRequiredService<StreamRuns>();
        var stopping = services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
        var paid = new PaidPrompts(Kept.Retention!.Value, services.GetRequiredService<TimeProvider>());
        app.MapMethods(Path(), [HttpMethods.Post], SameOrigin.Only(context => AnswerAsync(context, runs, paid, stopping)));
    }

    public Task<IReadOnlyList<string>> BeginAsync(WebApplication app, Uri address)
    {
        var here = new Uri(address, upstream.Endpoint.AbsolutePath);
        return Task.FromResult<IReadOnlyList<string>>(
        [
            $"A POST to {here} is sent once to {upstream.Endpoint.GetLeftPart(UriPartial.Authority)}; "
            + "the answer can be read again at its Content-Location.",
            $"curl -N {here} --json '{{...}}'",
        ]);
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <exception cref="UsageException">The path is also a path of this server.</exception>
    private string Path()
    {
        var path = Uri.UnescapeDataString(upstream.Endpoint.AbsolutePath)
            .Replace("{", "{{", StringComparison.Ordinal).Replace("}", "}}", StringComparison.Ordinal);
        try
        {
            return RoutePatternFactory.Parse(path).RawText!;
        }
        catch (RoutePatternException)
        {
            throw new UsageException("--upstream has a path that serve uses itself");
        }
    }

    private async Task AnswerAsync(HttpContext context, StreamRuns runs, PaidPrompts paid, CancellationToken stopping)
    {
        if (!PromptKey.TryRead(context.Request.Headers, out var key))
        {
            await ProblemAsync(context, StatusCodes.Status400BadRequest, "Idempotency-Key must be one value of at most 255 characters.");
            return;
        }

        var body = await ForwardedRequest.ReadBodyAsync(context.Request);
        var headers = ForwardedRequest.Headers(context.Request.Headers);
        if (key is null)
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await (await AskAsync(body, headers, runs, leave.Token)).Answer.ExecuteAsync(context);
        }
        else if (paid.TryAskOnce(PromptKey.Scoped(key, headers), PromptKey.FingerprintOf(body), () => AskAsync(body, headers, runs, stopping), out var asking))
        {
            // If the client disconnects, only this wait ends. The client may repeat the request for the same answer.
            await (await asking.WaitAsync(context.RequestAborted)).ExecuteAsync(context);
        }
        else
        {
            const string Reused = "This Idempotency-Key was used before, with another request.";
            await ProblemAsync(context, StatusCodes.Status422UnprocessableEntity, Reused);
        }
    }

    /// <summary>Sends the request upstream once. The result is paid unless the upstream refused the request.</summary>
    private async Task<(IResult Answer, bool IsPaid)> AskAsync(
        RequestBody body, IReadOnlyDictionary<string, string> headers, StreamRuns runs, CancellationToken cancellationToken)
    {
        var catcher = new DocumentCatcher();
        Transport transport;
        try
        {
            transport = upstream.Open(body, headers, catcher);
        }
        catch (ArgumentException)
        {
            var problem = TypedResults.Problem("A header of the request cannot be forwarded.", statusCode: StatusCodes.Status400BadRequest);
            return (problem, IsPaid: false);
        }

        try
        {
            await transport.ConnectAsync(cancellationToken);
            var run = await runs.StartAsync((writer, stop) => UpstreamRelay.ProduceAsync(transport, writer, stop), Kept);
            return (new RunAnswer(runs, run.Id), IsPaid: true);
        }
        catch (TransportException e)
        {
            await transport.DisposeAsync();
            if (catcher.Document is { } document)
            {
                return (document, IsPaid: true);
            }

            var refusal = new UpstreamRefusal(e);
            return (refusal, refusal.MayHaveActed);
        }
        catch
        {
            await transport.DisposeAsync();
            throw;
        }
    }

    private static Task ProblemAsync(HttpContext context, int status, string detail) => TypedResults.Problem(detail, statusCode: status).ExecuteAsync(context);
}
