using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing.Patterns;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Perennial.AspNetCore;

namespace Perennial.Cli.Serve.Upstream;

/// <summary>
/// Answers a POST to the upstream's path with a run: the request is made once upstream, and its answer is numbered and kept. A client that
/// loses the line reads on at <c>Content-Location</c>; the upstream never hears of it. What clients send is passed through and not logged.
/// </summary>
internal sealed class UpstreamProxy(UpstreamRequest upstream) : IServedContent
{
    /// <summary>Time enough to come back from a tunnel, a meeting or a closed laptop.</summary>
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
        app.MapMethods(Path(), [HttpMethods.Post], SameOrigin.Only(context => AnswerAsync(context, runs, stopping)));
    }

    public IReadOnlyList<string> Begin(WebApplication app, Uri address)
    {
        var here = new Uri(address, upstream.Endpoint.AbsolutePath);
        return
        [
            $"A POST to {here} is made once at {upstream.Endpoint.GetLeftPart(UriPartial.Authority)}; the answer can be read again at its Content-Location.",
            $"curl -N {here} --json '{{...}}'",
        ];
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <exception cref="UsageException">Requests to the path cannot be told from others.</exception>
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
            throw new UsageException("--upstream has a path that cannot be served here");
        }
    }

    private async Task AnswerAsync(HttpContext context, StreamRuns runs, CancellationToken stopping)
    {
        var body = await ForwardedRequest.ReadBodyAsync(context.Request);
        Transport transport;
        try
        {
            transport = upstream.Open(body, ForwardedRequest.Headers(context.Request.Headers));
        }
        catch (ArgumentException)
        {
            await TypedResults.Problem("A header of the request cannot be sent on.", statusCode: StatusCodes.Status400BadRequest).ExecuteAsync(context);
            return;
        }

        try
        {
            using var leave = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await transport.ConnectAsync(leave.Token);
        }
        catch (Exception e)
        {
            await transport.DisposeAsync();
            if (e is not TransportException failure)
            {
                throw;
            }

            await RefuseAsync(context, failure);
            return;
        }

        ForwardedRequest.AskForEvents(context.Request);
        await runs.Start((writer, stop) => UpstreamRelay.ProduceAsync(transport, writer, stop), Kept).ExecuteAsync(context);
    }

    /// <summary>What the upstream refused is refused in the same way; what it did not answer is an error of the gateway.</summary>
    private static Task RefuseAsync(HttpContext context, TransportException e)
    {
        var status = e.HttpStatus is { } refusal && (int)refusal >= 400 ? (int)refusal
            : e.Code is TransportErrorCode.ConnectTimeout ? StatusCodes.Status504GatewayTimeout
            : StatusCodes.Status502BadGateway;
        if (e.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        return TypedResults.Problem($"The upstream did not answer with a stream. {e.Message}", statusCode: status).ExecuteAsync(context);
    }
}
