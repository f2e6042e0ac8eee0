using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>
/// Opens stores for a <see cref="RunStoreBehavior"/>. The author of a store writes a subclass. One harness serves one behavior: make a
/// new one for each.
/// </summary>
/// <remarks>For a store that several nodes share, write a second harness that opens a <see cref="TwoNodeStore"/>.</remarks>
public abstract class RunStoreHarness : IAsyncDisposable
{
    /// <summary>Gets how long a behavior may take before it fails. Default 2 minutes.</summary>
    public virtual TimeSpan Patience => TimeSpan.FromMinutes(2);

    /// <summary>
    /// Opens a store, ready for use. A behavior may open several; each has runs of its own or shares those of the others.
    /// </summary>
    /// <param name="options">The limits and the retention that the store must keep.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The store. <see cref="DisposeAsync"/> closes it.</returns>
    public abstract Task<RunStore> OpenAsync(PerennialServerOptions options, CancellationToken cancellationToken);

    /// <summary>Closes all stores and frees everything.</summary>
    public abstract ValueTask DisposeAsync();
}
