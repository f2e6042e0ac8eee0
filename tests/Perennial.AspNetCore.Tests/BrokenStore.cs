using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Tests;

/// <summary>A store that cannot be reached, and says more of it than a client may know.</summary>
internal sealed class BrokenStore : RunStore
{
    public override ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) =>
        throw new RunStoreException("password=hunter2");

    public override ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken) =>
        throw new RunStoreException("password=hunter2");

    public override ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) =>
        throw new RunStoreException("password=hunter2");

    public override ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) =>
        throw new RunStoreException("password=hunter2");
}
