using System.Net.ServerSentEvents;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests;

/// <summary>The server under test: a real Kestrel on a loopback port of the system's choosing, and a plain HttpClient.</summary>
internal sealed class RunServer : IAsyncDisposable
{
    /// <summary>Milliseconds after which a test counts as hanging. No test takes a hundredth of it.</summary>
    public const int Hang = 180_000;

    private readonly WebApplication _app;

    private RunServer(WebApplication app)
    {
        _app = app;
        // leaves at once
        Client = new HttpClient(new SocketsHttpHandler { MaxResponseDrainSize = 0 }) { BaseAddress = new Uri(app.Urls.Single(IsTcp)) };
    }

    public HttpClient Client { get; }

    public Uri Address => Client.BaseAddress!;

    public StreamRuns Runs => _app.Services.GetRequiredService<StreamRuns>();

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public static async Task<RunServer> StartAsync(
        Action<PerennialServerOptions>? configure = null, Action<WebApplication>? map = null, TimeProvider? time = null,
        RunStore? store = null, string? environment = null,
        Action<IEndpointConventionBuilder>? decide = null, Action<IServiceCollection>? services = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = environment });
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        // A host that waits for its readers must hang the test, not outlast it.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(2 * Hang));
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        if (store is not null)
        {
            builder.Services.AddSingleton(store);
        }

        builder.Services.AddPerennialServer(configure);
        services?.Invoke(builder.Services);
        var app = builder.Build();
        map?.Invoke(app);
        var endpoints = app.MapPerennial("/streams");
        (decide ?? (runs => runs.AllowAnonymous()))(endpoints);
        await app.StartAsync(TestEnds);
        return new RunServer(app);
    }

    /// <summary>Starts a run whose events are these, and returns it when it has ended.</summary>
    public async Task<StartedRun> FinishedRunAsync(params string[] texts)
    {
        var run = await Runs.StartAsync(async (writer, stop) =>
        {
            foreach (var text in texts)
            {
                await writer.WriteAsync(text, cancellationToken: stop);
            }
        });
        await run.Completion;
        return run;
    }

    private static bool IsTcp(string url) => !url.Contains("//unix:", StringComparison.Ordinal);

    public static string PathOf(StreamRun run) => $"/streams/{run.Id}";

    /// <summary>Sends a request of a reader that knows Perennial, and returns as soon as the headers are here.</summary>
    public async Task<HttpResponseMessage> OpenAsync(StreamRun run, string? lastEventId = null, string? accept = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, PathOf(run));
        request.Headers.Add("Perennial-Protocol", "1");
        if (accept is not null)
        {
            request.Headers.TryAddWithoutValidation("Accept", accept);
        }

        if (lastEventId is not null)
        {
            request.Headers.Add("Last-Event-ID", lastEventId);
        }

        return await Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, TestEnds);
    }

    /// <summary>Reads a run to its end and returns the body as it was on the wire.</summary>
    public async Task<string> ReadAsync(StreamRun run, string? lastEventId = null, string? accept = null)
    {
        using var response = await OpenAsync(run, lastEventId, accept);
        return await response.Content.ReadAsStringAsync(TestEnds);
    }

    /// <summary>Reads a response with the platform's own parser.</summary>
    public static async IAsyncEnumerable<SseItem<string>> EventsOf(HttpResponseMessage response)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(TestEnds);
        await foreach (var item in SseParser.Create(stream).EnumerateAsync(TestEnds))
        {
            yield return item;
        }
    }

    public Task StopAsync() => _app.StopAsync(TestEnds);

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await _app.DisposeAsync();
    }
}
