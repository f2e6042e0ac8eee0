using Microsoft.Extensions.Logging;

namespace Perennial.SeveralNodes;

/// <summary>Shows other nodes that this node is alive, and ends the runs of nodes that are gone.</summary>
/// <remarks>
/// Each node increments a number in its own row, and measures by its own clock how long the numbers of other nodes stay the same. So clocks
/// of different nodes are never compared. Time in which this node could not read the rows does not count, so an unavailable database does
/// not end the runs of a node.
/// </remarks>
internal sealed class Lease(
    INodeTable nodes, WakeUps wakeUps, RunViews views, Guid node, TimeSpan duration, TimeProvider time, ILogger logger)
{
    private const int RenewalsInLease = 5;
    private const int RenewalsMissed = 3;

    private readonly Dictionary<Guid, Sighting> _others = [];       // used only by RenewAsync, one call at a time
    private long _lastLook;

    public TimeSpan Interval { get; } = duration / RenewalsInLease;

    /// <summary>Renews the lease, and checks those of other nodes.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (time.GetElapsedTime(_lastLook) > 2 * Interval)
            {
                _others.Clear();
            }

            var beats = await nodes.BeatAsync(node, cancellationToken);
            _lastLook = time.GetTimestamp();
            foreach (var gone in See(beats))
            {
                await EndRunsOfAsync(gone.Key, gone.Value, cancellationToken);
            }
        }
        catch
        {
            _others.Clear();
            throw;
        }
    }

    /// <summary>Records this node. May be called at any time.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public Task RegisterAsync(CancellationToken cancellationToken) => nodes.RegisterAsync(node, cancellationToken);

    /// <summary>Releases the lease, and ends the runs that this node still produces.</summary>
    public Task GiveBackAsync(CancellationToken cancellationToken) => EndRunsOfAsync(node, beat: null, cancellationToken);

    /// <summary>Records which nodes have renewed their lease, and returns those that have not for too long.</summary>
    private Dictionary<Guid, long> See(Dictionary<Guid, long> beats)
    {
        foreach (var left in _others.Keys.Where(other => !beats.ContainsKey(other)).ToArray())
        {
            _others.Remove(left);
        }

        var gone = new Dictionary<Guid, long>();
        foreach (var (other, beat) in beats)
        {
            if (!_others.TryGetValue(other, out var seen) || seen.Beat != beat)
            {
                _others[other] = new Sighting(beat, time.GetTimestamp());
            }
            else if (other != node && time.GetElapsedTime(seen.Since) >= Interval * RenewalsMissed)
            {
                gone.Add(other, beat);
            }
        }

        return gone;
    }

    private async Task EndRunsOfAsync(Guid gone, long? beat, CancellationToken cancellationToken)
    {
        var runs = await nodes.EndAllAsync(gone, beat, cancellationToken);
        if (gone != node && runs.Count > 0)
        {
            Log.NodeLost(logger, gone, runs.Count);
        }

        foreach (var run in runs)
        {
            views.WatchedOf(run)?.MarkStale();
            wakeUps.AddRecords(run);
        }
    }

    private readonly record struct Sighting(long Beat, long Since);
}
