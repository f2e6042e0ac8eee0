using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Perennial.AspNetCore;

namespace Perennial.Cli.Demo;

/// <summary>A real server on a loopback port of the system's choosing, with one run that all readers share.</summary>
internal sealed class DemoServer : IAsyncDisposable
{
    /// <summary>About as long as a model takes for as much text.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(8);

    private readonly WebApplication _app;

    private DemoServer(WebApplication app, Uri stream)
    {
        _app = app;
        Stream = stream;
    }

    /// <summary>Where the run is read.</summary>
    public Uri Stream { get; }

    /// <summary>Starts the server, and the run with it.</summary>
    public static async Task<DemoServer> StartAsync(DemoScript script, CancellationToken cancellationToken)
    {
        // Empty: neither files nor environment variables of whoever runs the demo have a say in it.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        builder.Services.AddRoutingCore().AddPerennialServer();
        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(cancellationToken);
        var run = await app.Services.GetRequiredService<StreamRuns>().StartAsync((writer, stop) => ProduceAsync(script, writer, stop));
        return new DemoServer(app, new Uri($"{app.Urls.Single()}/streams/{run.Id}"));
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    /// <summary>Each chunk has its time, so that a slow clock delays none of the others.</summary>
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
