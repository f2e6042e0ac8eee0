using Perennial.AspNetCore.Stores;
using Perennial.AspNetCore.Testing;

namespace Perennial.AspNetCore.Tests.Stores;

/// <summary>Opens stores in memory.</summary>
internal class MemoryStoreHarness : RunStoreHarness
{
    private readonly MemoryStores _stores = new();

    public override Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken) =>
        Task.FromResult<RunStore>(_stores.Open(options));

    public override ValueTask DisposeAsync()
    {
        _stores.Dispose();
        return ValueTask.CompletedTask;
    }
}
