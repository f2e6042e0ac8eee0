using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.PostgreSql.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>The store in whole applications on real Kestrels, as users set it up.</summary>
public sealed class HostTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);
    private readonly List<WebApplication> _apps = [];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
            await app.DisposeAsync();
    }

    [Fact(Timeout = Hang)]
    public async Task A_run_is_read_and_stopped_on_another_machine_than_produces_it()
    {
        var (a, b) = (await StartAsync(), await StartAsync());
        using var client = new HttpClient { BaseAddress = new Uri(b.Urls.Single()) };
        var cancelled = new TaskCompletionSource();
        var run = a.Services.GetRequiredService<StreamRuns>().Start(async (writer, stop) =>
        {
            await writer.WriteAsync("hello", cancellationToken: stop);
            await using (stop.Register(cancelled.SetResult))
                await cancelled.Task;
        });
        await run.GetStatusAsync(TestEnds);

        var reading = client.GetStringAsync($"/streams/{run.Id}", TestEnds);
        using var stopped = await client.DeleteAsync(new Uri($"/streams/{run.Id}", UriKind.Relative), TestEnds);

        (await stopped.Content.ReadAsStringAsync(TestEnds)).ShouldBe("""{"status":"stopped"}""");
        await cancelled.Task.WaitAsync(TestEnds);
        (await run.Completion).ShouldBe(RunStatus.Stopped);
        (await reading).ShouldEndWith("event: perennial.stopped\ndata: [DONE]\n\n");
        using var unknown = await client.GetAsync(new Uri("/streams/unknown", UriKind.Relative), TestEnds);
        unknown.StatusCode.ShouldBe(HttpStatusCode.NotFound);
    }

    [Fact(Timeout = Hang)]
    public async Task Runs_that_a_stopping_host_leaves_are_ended_for_the_readers_elsewhere()
    {
        var (a, b) = (await StartAsync(), await StartAsync());
        using var client = new HttpClient { BaseAddress = new Uri(b.Urls.Single()) };
        var written = new TaskCompletionSource();
        var run = a.Services.GetRequiredService<StreamRuns>().Start(async (writer, stop) =>
        {
            await writer.WriteAsync("hello", cancellationToken: stop);
            written.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await written.Task;
        var reading = client.GetStringAsync($"/streams/{run.Id}", TestEnds);

        await a.StopAsync(TestEnds);

        (await reading).ShouldContain("producer_lost");
    }

    [Fact(Timeout = Hang)]
    public async Task The_health_check_tells_whether_the_store_can_be_used()
    {
        await using var proxy = FaultProxy.Start(cluster.Address);
        var time = new ManualTimeProvider();
        var app = await StartAsync(PostgreSqlCluster.ConnectionStringTo(proxy.Address.Port), time);
        var health = app.Services.GetRequiredService<HealthCheckService>();
        await RunReading.UntilAsync(async () => (await health.CheckHealthAsync(TestEnds)).Status == HealthStatus.Healthy);

        proxy.CutAll();
        await RunReading.UntilAsync(async () => (await health.CheckHealthAsync(TestEnds)).Status == HealthStatus.Degraded);
        proxy.Refusing = true;
        proxy.CutAll();
        (await health.CheckHealthAsync(TestEnds)).Status.ShouldBe(HealthStatus.Unhealthy);
        proxy.Refusing = false;
        time.Advance(TimeSpan.FromMilliseconds(250));
        await RunReading.UntilAsync(async () => (await health.CheckHealthAsync(TestEnds)).Status == HealthStatus.Healthy);
    }

    private async Task<WebApplication> StartAsync(string? connectionString = null, TimeProvider? time = null)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddPerennialServer();
        builder.Services.UsePostgreSql(connectionString ?? cluster.ConnectionString, options => options.Schema = _nodes.Schema);
        builder.Services.AddHealthChecks().AddPerennialPostgreSql();
        var app = builder.Build();
        _apps.Add(app);
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
