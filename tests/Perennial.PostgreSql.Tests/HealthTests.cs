using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.PostgreSql.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.PostgreSql.Tests;

/// <summary>The health check of the store.</summary>
public sealed class HealthTests(PostgreSqlCluster cluster) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(cluster);
    private readonly List<WebApplication> _apps = [];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        foreach (var app in _apps)
        {
            await app.DisposeAsync();
        }
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
        builder.Services.AddPerennialServer().AddPostgreSqlStore(
            connectionString ?? cluster.ConnectionString, options => options.Schema = _nodes.Space);
        builder.Services.AddHealthChecks().AddPerennialStore();
        var app = builder.Build();
        _apps.Add(app);
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
