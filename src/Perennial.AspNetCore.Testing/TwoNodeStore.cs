using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Testing;

/// <summary>
/// Two nodes of one store as one: one node creates runs and claims keys, the other finds runs. Thread safe if both nodes are.
/// </summary>
/// <param name="creating">The node that creates runs and claims keys.</param>
/// <param name="finding">The node that finds runs.</param>
public sealed class TwoNodeStore(RunStore creating, RunStore finding) : RunStore
{
    /// <inheritdoc/>
    public override ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken) =>
        creating.CreateAsync(run, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken) =>
        finding.FindAsync(id, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<RunLogPage> FindByOwnerAsync(
        string owner, int count, long? before, CancellationToken cancellationToken) =>
        finding.FindByOwnerAsync(owner, count, before, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        finding.FindByKeyAsync(key, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<IReadOnlyList<RunLog>> TakeOverAsync(
        IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken) =>
        creating.TakeOverAsync(resumptions, count, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken) =>
        creating.ClaimStartAsync(key, cancellationToken);

    /// <inheritdoc/>
    public override ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken) =>
        creating.ReleaseStartAsync(key, cancellationToken);
}
