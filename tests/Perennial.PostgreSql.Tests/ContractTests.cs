using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Tests.Stores;
using Perennial.PostgreSql.Tests.Support;

namespace Perennial.PostgreSql.Tests;

public sealed class OneNodeStoreTests(PostgreSqlCluster cluster) : RunStoreContract, IAsyncDisposable
{
    private readonly Nodes _nodes = new(cluster);

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    protected override async Task<IRunStore> OpenAsync(PerennialServerOptions options) => await _nodes.StartAsync(options);
}

public sealed class OneNodeInboxTests(PostgreSqlCluster cluster) : RunInboxContract, IAsyncDisposable
{
    private readonly Nodes _nodes = new(cluster);

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    protected override async Task<IRunStore> OpenAsync(PerennialServerOptions options) => await _nodes.StartAsync(options);
}

/// <summary>The same promises where one node creates the runs and another finds them.</summary>
public sealed class TwoNodeStoreTests(PostgreSqlCluster cluster) : RunStoreContract, IAsyncDisposable
{
    private readonly Nodes _nodes = new(cluster);

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    protected override async Task<IRunStore> OpenAsync(PerennialServerOptions options) =>
        new TwoNodes(await _nodes.StartAsync(options), await _nodes.StartAsync(options));
}

public sealed class TwoNodeInboxTests(PostgreSqlCluster cluster) : RunInboxContract, IAsyncDisposable
{
    private readonly Nodes _nodes = new(cluster);

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    protected override async Task<IRunStore> OpenAsync(PerennialServerOptions options) =>
        new TwoNodes(await _nodes.StartAsync(options), await _nodes.StartAsync(options));
}

public sealed class OneNodeStartTests(PostgreSqlCluster cluster) : RunStartContract, IAsyncDisposable
{
    private readonly Nodes _nodes = new(cluster);

    public ValueTask DisposeAsync() => _nodes.DisposeAsync();

    protected override async Task<IRunStore> OpenAsync(PerennialServerOptions options) => await _nodes.StartAsync(options);
}

internal sealed class TwoNodes(IRunStore here, IRunStore there) : IRunStore
{
    public ValueTask<IRunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) => here.CreateAsync(run, cancellationToken);

    public ValueTask<IRunLog?> FindAsync(string id, CancellationToken cancellationToken) => there.FindAsync(id, cancellationToken);

    public ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) => there.ClaimStartAsync(key, cancellationToken);

    public ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) => there.ReleaseStartAsync(key, cancellationToken);
}
