using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>
/// Checks whether a reader that waits on this node has missed a wake-up, and whether other nodes have taken over runs of this one.
/// </summary>
internal sealed class Sweep(RunReads reads, RunViews views, WriteQueue writes, Orphans orphans, Guid node)
{
    /// <summary>Checks once.</summary>
    /// <exception cref="RunStoreException">The database cannot be reached.</exception>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await orphans.SweepAsync(cancellationToken);
        var watched = views.Watched.ToDictionary(view => view.Key.Run);
        if (watched.Count == 0)
        {
            return;
        }

        // Before the query: a producer that takes a run over meanwhile is not compared with the state before.
        var producers = watched.Values.Select(static view => view.Produced).OfType<ProducedRun>().ToDictionary(run => run.Key.Run);
        foreach (var run in await reads.TailsAsync([.. watched.Keys], node, cancellationToken))
        {
            watched[run.Run].Compare(run.Status, run.Tail, run.Position);
            if (run.Status == RunStatus.Running && producers.TryGetValue(run.Run, out var producer) && !producer.IsFenced
                && producer.Key.Producer != run.Producer)
            {
                writes.Refuse(producer, AppendOutcome.Fenced);
                watched[run.Run].MarkStale();
            }
        }
    }
}
