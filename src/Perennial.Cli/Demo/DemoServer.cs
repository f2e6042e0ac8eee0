using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;

namespace Perennial.Cli.Demo;

/// <summary>
/// A real server on a free loopback port. It has one run that readers share, and an endpoint that starts a run for a POST.
/// </summary>
internal sealed class DemoServer : IAsyncDisposable
{
    /// <summary>About the time that a model needs for this much text.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    private readonly WebApplication _app;

    private int _productions;

    private DemoServer(WebApplication app) => _app = app;

    /// <summary>The URL of the shared run.</summary>
    public required Uri Stream { get; init; }

    /// <summary>The URL where a POST starts a run of its own.</summary>
    public Uri Chat => new(Stream, "/chat");

    /// <summary>How often a run was produced for a POST.</summary>
    public int Productions => Volatile.Read(ref _productions);

    /// <summary>Starts the server and its run.</summary>
    public static async Task<DemoServer> StartAsync(DemoScript script, CancellationToken cancellationToken)
    {
        // Empty, so that files and environment variables of the user do not change the demo.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore().AddPerennialServer();
        var app = builder.Build();
        var server = default(DemoServer);
        app.MapPerennial("/streams").AllowAnonymous();
        app.MapPost("/chat", (HttpContext context) => server!.AnswerAsync(script, context)).StartsOnce();
        await app.StartAsync(cancellationToken);
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync((writer, stop) => ProduceAsync(script, writer, stop));
        return server = new DemoServer(app) { Stream = new Uri($"{app.Urls.Single()}/streams/{run.Id}") };
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private Task AnswerAsync(DemoScript script, HttpContext context)
    {
        Interlocked.Increment(ref _productions);
        return context.RequestServices.GetRequiredService<StreamRuns>()
            .Start((writer, stop) => ProduceAsync(script, writer, stop))
            .ExecuteAsync(context);
    }

    /// <summary>Writes each chunk at its own time after the start, so that a late chunk does not delay the others.</summary>
    private static async Task ProduceAsync(DemoScript script, RunWriter writer, CancellationToken stop)
    {
        var time = TimeProvider.System;
        var start = time.GetTimestamp();
        for (var i = 0; i < script.Chunks.Count; i++)
        {
            var due = Duration * i / script.Chunks.Count;
            if (due - time.GetElapsedTime(start) is var early && early > TimeSpan.Zero)
            {
                await Task.Delay(early, time, stop);
            }

            await writer.WriteAsync(script.Chunks[i], cancellationToken: stop);
        }
    }
}
