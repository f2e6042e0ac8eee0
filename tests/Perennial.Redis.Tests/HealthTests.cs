using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.Redis.Tests.Support;
using Perennial.SeveralNodes.Tests.Support;
using Perennial.Testing;

namespace Perennial.Redis.Tests;

/// <summary>The health check of the store.</summary>
public sealed class HealthTests(RedisServer server) : IAsyncDisposable
{
    private const int Hang = 120_000;

    private readonly Nodes _nodes = new(server);
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
        await using var proxy = FaultProxy.Start(server.Address);
        var app = await StartAsync(RedisServer.ConnectionStringTo(proxy.Address.Port));
        var health = app.Services.GetRequiredService<HealthCheckService>();
        await RunReading.UntilAsync(async () => (await health.CheckHealthAsync(TestEnds)).Status == HealthStatus.Healthy);

        await server.Observer.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
        var degraded = (await health.CheckHealthAsync(TestEnds)).Entries.Values.Single();
        await server.Observer.ExecuteAsync("CONFIG", "SET", "maxmemory-policy", "noeviction");
        (degraded.Status, degraded.Description).ShouldBe(
            (HealthStatus.Degraded, "Redis may evict open runs: its maxmemory-policy is allkeys-lru, and should be noeviction."));
        proxy.Refusing = true;
        proxy.CutAll();
        (await health.CheckHealthAsync(TestEnds)).Status.ShouldBe(HealthStatus.Unhealthy);
        proxy.Refusing = false;
        await RunReading.UntilAsync(async () => (await health.CheckHealthAsync(TestEnds)).Status == HealthStatus.Healthy);
    }

    private async Task<WebApplication> StartAsync(string connectionString)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddPerennialServer().AddRedisStore(
            connectionString, options => options.KeyPrefix = _nodes.Space);
        builder.Services.AddHealthChecks().AddPerennialStore();
        var app = builder.Build();
        _apps.Add(app);
        app.MapPerennial("/streams").AllowAnonymous();
        await app.StartAsync(TestEnds);
        return app;
    }
}
