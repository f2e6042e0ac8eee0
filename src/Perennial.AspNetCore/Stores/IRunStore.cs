namespace Perennial.AspNetCore.Stores;

/// <summary>Where runs are recorded: in the memory of this process, or in a database that several nodes share.</summary>
/// <remarks>
/// <para>Safe from any thread. One per host, from dependency injection; limits and retention come from <see cref="PerennialServerOptions"/>.</para>
/// <para>
/// A run that ended is kept for <see cref="NewRun.Retention"/>, or else <see cref="PerennialServerOptions.FinishedRunRetention"/>, and then forgotten. A store that is shared by
/// nodes ends, as <see cref="RunEnd.ProducerLost"/>, the runs whose node is gone, so that no reader waits for ever; what such a node still
/// appends when it comes back late is <see cref="AppendOutcome.Fenced"/> or <see cref="AppendOutcome.Closed"/>.
/// </para>
/// <para>
/// What is recorded stays as it is: every reader on every node sees the same records with the same sequences. A call that cannot reach the
/// store throws <see cref="RunStoreException"/>; whether it recorded anything is then unknown. A call that is cancelled throws
/// <see cref="OperationCanceledException"/> and may have done its work all the same.
/// </para>
/// </remarks>
public interface IRunStore
{
    /// <summary>Records that a run exists, open and empty, and makes this node its producer until it ends.</summary>
    /// <param name="run">What is to be recorded.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The run, to append to.</returns>
    /// <exception cref="InvalidOperationException">The id is in use.</exception>
    ValueTask<IRunLog> CreateAsync(NewRun run, CancellationToken cancellationToken);

    /// <summary>Finds a run that any node has created.</summary>
    /// <param name="id">The name of the run in its URL, as somebody sent it; any text.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>The run, to read; null where it never was or is no longer kept.</returns>
    ValueTask<IRunLog?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Claims a key for a request that is going to start a run. One request has a key at a time, on all nodes.</summary>
    /// <param name="key">The key, and the request. A request that asks again still has its claim.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    /// <returns>Whether the request has the key, or which run was started with it.</returns>
    /// <remarks>
    /// <see cref="CreateAsync"/> with <see cref="NewRun.Start"/> records the run of the key. A key is remembered for
    /// <see cref="StartOptions.KeyRetention"/> from its claim, unless there are more than <see cref="StartOptions.MaxKeys"/>. The claims of a node that
    /// is gone are released, those with a run are kept.
    /// </remarks>
    ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken);

    /// <summary>Frees a key that its request has claimed, and forgets which run was recorded for it. Does nothing where another request has the key.</summary>
    /// <param name="key">The key, and the request that claimed it.</param>
    /// <param name="cancellationToken">Ends the call.</param>
    ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken);
}
