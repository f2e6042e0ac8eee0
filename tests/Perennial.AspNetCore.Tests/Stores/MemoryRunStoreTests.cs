using Microsoft.Extensions.Options;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests.Stores;

public sealed class MemoryRunStoreTests : RunStoreContract, IDisposable
{
    private readonly MemoryStores _stores = new();

    public void Dispose() => _stores.Dispose();

    protected override Task<IRunStore> OpenAsync(PerennialServerOptions options) => Task.FromResult<IRunStore>(_stores.Open(options));
}

public sealed class MemoryRunInboxTests : RunInboxContract, IDisposable
{
    private readonly MemoryStores _stores = new();

    public void Dispose() => _stores.Dispose();

    protected override Task<IRunStore> OpenAsync(PerennialServerOptions options) => Task.FromResult<IRunStore>(_stores.Open(options));
}

/// <summary>The stores of one test.</summary>
internal sealed class MemoryStores : IDisposable
{
    private readonly List<MemoryRunStore> _stores = [];

    public MemoryRunStore Open(PerennialServerOptions options, TimeProvider? time = null)
    {
        var store = new MemoryRunStore(Options.Create(options), time ?? TimeProvider.System);
        _stores.Add(store);
        return store;
    }

    public void Dispose() => _stores.ForEach(store => store.Dispose());
}
