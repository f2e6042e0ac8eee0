using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Perennial.AspNetCore.Stores;

/// <summary>
/// Records runs: in the memory of this process, or in a database that several nodes share. The base class of every store.
/// </summary>
/// <remarks>
/// <para>
/// <b>Thread safety.</b> All members may be called from any thread at any time. A host has one store, from dependency injection. Limits and
/// retention come from <see cref="PerennialServerOptions"/>.
/// </para>
/// <para>
/// <b>What readers see.</b> A record never changes. Every reader on every node sees the same records with the same sequences, in order and
/// without holes. After <see cref="CreateAsync"/> has returned, <see cref="FindAsync"/> finds the run on every node.
/// </para>
/// <para>
/// <b>Retention.</b> A run that has ended is kept for <see cref="NewRun.Retention"/>, or else for
/// <see cref="PerennialServerOptions.FinishedRunRetention"/>, and is then forgotten. An open run is never forgotten.
/// </para>
/// <para>
/// <b>Fencing.</b> A run has one producer: the node that created it, or that has taken it over. If a node is gone, its runs with
/// <see cref="RunDescription.ResumeWith"/> wait to be taken over (<see cref="TakeOverAsync"/>), and the others end as
/// <see cref="RunEnd.ProducerLost"/>, so that no reader waits for ever. If such a node comes back, the store answers its appends with
/// <see cref="AppendOutcome.Fenced"/> or <see cref="AppendOutcome.Closed"/> and records nothing.
/// </para>
/// <para>
/// <b>Errors.</b> A call that cannot reach the store throws <see cref="RunStoreException"/>, and a call that is cancelled throws
/// <see cref="OperationCanceledException"/>. In both cases the call may have done its work. Each member says what a second call does.
/// </para>
/// <para>
/// <b>Growth.</b> Later versions may add members to this class. They will be virtual, and their default works for a store that does not
/// override them. The package Perennial.AspNetCore.Testing checks a store against all these promises.
/// </para>
/// </remarks>
public abstract class RunStore
{
    /// <summary>Records a run, open and empty, and makes this node its producer until the run ends.</summary>
    /// <param name="run">The run to record.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The run, for its producer.</returns>
    /// <exception cref="InvalidOperationException">A run with the id exists. It is unchanged.</exception>
    /// <exception cref="RunStoreException">
    /// The store cannot be reached, has no room for another run, or the request of <see cref="NewRun.Start"/> does not have its key. In the
    /// last two cases nothing is recorded.
    /// </exception>
    /// <remarks>With <see cref="NewRun.Start"/> the run and its key are recorded together, or neither is.</remarks>
    public abstract ValueTask<RunLog> CreateAsync(NewRun run, CancellationToken cancellationToken);

    /// <summary>Finds a run that any node has created.</summary>
    /// <param name="id">The name of the run in its URL, as a client sent it. Any text is accepted, of any length.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The run, for readers and senders; null if there is none or if it is no longer kept.</returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public abstract ValueTask<RunLog?> FindAsync(string id, CancellationToken cancellationToken);

    /// <summary>Claims a key for a request that is going to start a run. At most one request has a key at a time, on all nodes.</summary>
    /// <param name="key">The key and the request.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>Whether the request has the key, or which run was started with it.</returns>
    /// <exception cref="RunStoreException">
    /// The store cannot be reached. The request may have the key; a second call with the same key tells.
    /// </exception>
    /// <remarks>
    /// A request that claims its key again still has it. <see cref="CreateAsync"/> with <see cref="NewRun.Start"/> records the run of the
    /// key. A key is remembered for <see cref="StartOptions.KeyRetention"/> from its claim, unless there are more than
    /// <see cref="StartOptions.MaxKeys"/>. If a node is gone, the store releases its claims without a run and keeps those with a run.
    /// </remarks>
    public abstract ValueTask<StartClaim> ClaimStartAsync(StartKey key, CancellationToken cancellationToken);

    /// <summary>Releases a key, and forgets which run was recorded for it. Does nothing if another request has the key.</summary>
    /// <param name="key">The key and the request that claimed it.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public abstract ValueTask ReleaseStartAsync(StartKey key, CancellationToken cancellationToken);

    /// <summary>Finds the runs of an owner that are kept, whether they go on or have ended, newest first.</summary>
    /// <param name="owner">The owner, as in <see cref="RunDescription.Owner"/>. Any text is accepted, of any length.</param>
    /// <param name="count">The most runs to return, 1 or more.</param>
    /// <param name="before">The <see cref="RunLogPage.Next"/> of the page before; null for the newest runs.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The runs. Newest first is the order in which they were created; nodes that create runs at the same moment may differ. By default
    /// there are none.
    /// </returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public virtual ValueTask<RunLogPage> FindByOwnerAsync(string owner, int count, long? before, CancellationToken cancellationToken) =>
        ValueTask.FromResult(RunLogPage.Empty);

    /// <summary>Finds the newest run with a key that goes on.</summary>
    /// <param name="key">The key, as in <see cref="RunDescription.Key"/>. Any text is accepted, of any length.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>The run, for readers and senders; null if there is none, as by default.</returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    public virtual ValueTask<RunLog?> FindByKeyAsync(string key, CancellationToken cancellationToken) =>
        ValueTask.FromResult<RunLog?>(null);

    /// <summary>Makes this node the producer of open runs whose producer is gone. Each run is given out once, on all nodes.</summary>
    /// <param name="resumptions">The names of <see cref="RunDescription.ResumeWith"/> that this node knows.</param>
    /// <param name="count">The most runs to return.</param>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// The runs, for their producer; none by default. Sequences go on, and the epoch stays the same unless the store has lost events.
    /// Messages that were not finished are read again. Objects of former producers are fenced: they record no event and no end, and read
    /// no messages.
    /// </returns>
    /// <exception cref="RunStoreException">The store cannot be reached. A second call is safe.</exception>
    /// <remarks>
    /// The server calls this each second. A store that several nodes share ends a run as <see cref="RunEnd.ProducerLost"/> if no node takes
    /// it over for a while that it documents. A store of one process ends the runs that this does not name at the first call.
    /// </remarks>
    public virtual ValueTask<IReadOnlyList<RunLog>> TakeOverAsync(
        IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyList<RunLog>>([]);

    /// <summary>Checks whether runs can be recorded and read. The health check of <c>AddPerennialStore</c> reports the result.</summary>
    /// <param name="cancellationToken">Cancels the call.</param>
    /// <returns>
    /// Healthy; degraded if the store works with a restriction that the description names; unhealthy if it cannot be used. By default this
    /// looks for a run that does not exist, and is unhealthy if that throws <see cref="RunStoreException"/>.
    /// </returns>
    public virtual async ValueTask<HealthCheckResult> CheckHealthAsync(CancellationToken cancellationToken)
    {
        try
        {
            await FindAsync("health", cancellationToken);
            return HealthCheckResult.Healthy("Runs can be recorded and read.");
        }
        catch (RunStoreException e)
        {
            return HealthCheckResult.Unhealthy("The store of runs cannot be reached.", e);
        }
    }
}
