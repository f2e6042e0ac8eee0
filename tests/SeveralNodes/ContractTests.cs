using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Testing;
using Perennial.SeveralNodes.Tests.Support;

namespace Perennial.SeveralNodes.Tests;

/// <summary>A store of several nodes shows what every store must show, on one node and over two.</summary>
public sealed class ContractTests(DatabaseServer cluster)
{
    public static TheoryData<string> Behaviors => [.. RunStoreBehaviors.All.Select(static behavior => behavior.Name)];

    [Theory]
    [MemberData(nameof(Behaviors))]
    public async Task One_node_shows(string behavior)
    {
        await using var harness = new OneNodeHarness(cluster);
        await RunStoreBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken);
    }

    [Theory]
    [MemberData(nameof(Behaviors))]
    public async Task A_node_and_another_that_finds_its_runs_show(string behavior)
    {
        await using var harness = new TwoNodeHarness(cluster);
        await RunStoreBehaviors.Named(behavior).RunAsync(harness, TestContext.Current.CancellationToken);
    }

    private class OneNodeHarness(DatabaseServer cluster) : RunStoreHarness
    {
        protected Nodes Nodes { get; } = new(cluster);

        public override async Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken) =>
            await Nodes.StartAsync(options);

        public override ValueTask DisposeAsync() => Nodes.DisposeAsync();
    }

    private sealed class TwoNodeHarness(DatabaseServer cluster) : OneNodeHarness(cluster)
    {
        public override async Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken) =>
            new TwoNodeStore(await Nodes.StartAsync(options), await Nodes.StartAsync(options));
    }
}
