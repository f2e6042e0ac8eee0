using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.Testing;

namespace Perennial.SeveralNodes.Tests.Support;

/// <summary>The nodes of one test, which share a schema or prefix that no other test knows. Whatever runs is crashed at the end.</summary>
internal sealed class Nodes : IAsyncDisposable
{
    private readonly DatabaseServer _cluster;
    private readonly List<NodeStore> _stores = [];

    /// <summary>Skips the test where there is no server. In CI that is a failure.</summary>
    public Nodes(DatabaseServer cluster)
    {
        _cluster = cluster;
        cluster.Require();
    }

    public string Space { get; } = $"t_{Guid.NewGuid():N}"[..20];

    private static CancellationToken TestEnds => TestContext.Current.CancellationToken;

    public async Task<NodeStore> StartAsync(
        PerennialServerOptions? server = null, Action<NodeStoreOptions>? configure = null, TimeProvider? time = null,
        FaultProxy? proxy = null, ILogger<NodeStore>? logger = null)
    {
        var connectionString = proxy is null ? _cluster.ConnectionString : DatabaseServer.ConnectionStringTo(proxy.Address.Port);
        var store = Create(connectionString, Space, server, configure, time, logger);
        _stores.Add(store);
        await store.StartingAsync(TestEnds);
        return store;
    }

    /// <summary>For a node whose clock stands while another's runs: it must not be taken for gone.</summary>
    public static void TakeTime(NodeStoreOptions options) => options.LeaseDuration = TimeSpan.FromHours(1);

    public static NodeStore Create(
        string connectionString, string space, PerennialServerOptions? server = null, Action<NodeStoreOptions>? configure = null,
        TimeProvider? time = null, ILogger<NodeStore>? logger = null)
    {
        var options = StoreUnderTest.Options(space);
        configure?.Invoke(options);
        options.Validate();
        return new NodeStore(
            connectionString, Options.Create(options), Options.Create(server ?? new PerennialServerOptions()), time ?? TimeProvider.System,
            logger ?? NullLogger<NodeStore>.Instance);
    }

    public static async Task<RunLog> CreateRunAsync(RunStore store) =>
        await store.CreateAsync(new NewRun
        {
            Id = Guid.NewGuid().ToString("N"),
            Epoch = Guid.NewGuid().ToString("N")[..8],
            TakesMessages = true,
        }, TestEnds);

    public static async Task<RunLog> FindAsync(RunStore store, RunLog run) => (await store.FindAsync(run.Id, TestEnds)).ShouldNotBeNull();

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
        {
            await store.DisposeAsync();
        }
    }
}
