using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests;

/// <summary>A run is read in its dialect at another machine, also after its own machine is gone.</summary>
public sealed class DialectTests(DatabaseServer cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    [Fact(Timeout = Hang)]
    public async Task A_run_whose_machine_is_gone_ends_with_an_error_of_the_dialect_and_breaks_off()
    {
        var time = new ManualTimeProvider();
        var dead = await _nodes.StartAsync();
        await using var app = await StartAsync(time);
        using var http = new HttpClient { BaseAddress = new Uri(app.Urls.Single()) };
        var run = await dead.CreateAsync(
            new NewRun { Id = Guid.NewGuid().ToString("N"), Epoch = "abcdefgh", Dialect = Dialects.Anthropic.Name }, TestEnds);
        await run.AppendAsync(new RunEvent { EventType = "message_start", Data = """{"type":"message_start"}"""u8.ToArray(), Kind = RunDataKind.Text }, TestEnds);
        using var response =
            await http.GetAsync(new Uri($"/streams/{run.Id}", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, TestEnds);
        using var bytes = new MemoryStream();
        var reading = response.Content.CopyToAsync(bytes, TestEnds);

        await dead.DisposeAsync();
        await RunReading.UntilAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return Task.FromResult(reading.IsCompleted);
        });

        await Should.ThrowAsync<HttpRequestException>(reading);
        // Heartbeats depend on how far the clock moves.
        Encoding.UTF8.GetString(bytes.ToArray()).Replace(":\n\n", "", StringComparison.Ordinal).ShouldBe(
            "id: abcdefgh-1\nevent: message_start\ndata: {\"type\":\"message_start\"}\n\n"
            + "id: abcdefgh-2\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"producer_lost\",\"message\":\"The server that produced this run is gone.\"}}\n\n");
    }

    private async Task<WebApplication> StartAsync(TimeProvider time)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time);
        StoreUnderTest.Add(builder.Services.AddPerennialServer(), cluster.ConnectionString, _nodes.Space);
        var app = builder.Build();
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
