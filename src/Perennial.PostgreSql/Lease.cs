using Microsoft.Extensions.Logging;
using Npgsql;

namespace Perennial.PostgreSql;

/// <summary>Shows the other nodes that this one is alive, and ends the runs of those that no longer show it.</summary>
/// <remarks>
/// Each node counts up its own row, and watches by its own clock how long the others' rows stand still: no two clocks are ever compared. A
/// time in which this node could not look does not count, so a database that was away costs no producer its runs.
/// </remarks>
internal sealed class Lease(
    Database database, RunEndings endings, WakeUps wakeUps, RunViews views, Guid node, TimeSpan duration, TimeProvider time, ILogger logger)
{
    private const int RenewalsInLease = 5;
    private const int RenewalsMissed = 3;

    private const string Renew = """
        INSERT INTO nodes (node, beat) VALUES ($1, 1) ON CONFLICT (node) DO UPDATE SET beat = nodes.beat + 1
        """;

    private readonly Dictionary<Guid, Sighting> _others = [];       // of RenewAsync, which is not called twice at a time
    private long _lastLook;

    public TimeSpan Interval { get; } = duration / RenewalsInLease;

    /// <summary>Renews the lease, and looks at those of the others.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public async Task RenewAsync(CancellationToken cancellationToken)
    {
        try
        {
            if (time.GetElapsedTime(_lastLook) > 2 * Interval)
            {
                _others.Clear();
            }

            var beats = await BeatAsync(cancellationToken);
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

    /// <summary>Makes this node known. May be called at any time.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public Task RegisterAsync(CancellationToken cancellationToken) => database.RunAsync(async (connection, stop) =>
    {
        await using var renew = connection.Command(Renew, Sql.Value(node));
        return await renew.ExecuteNonQueryAsync(stop);
    }, cancellationToken);

    /// <summary>Gives the lease back, and ends what this node still produces: nobody will.</summary>
    public Task GiveBackAsync(CancellationToken cancellationToken) => EndRunsOfAsync(node, beat: null, cancellationToken);

    private Task<Dictionary<Guid, long>> BeatAsync(CancellationToken cancellationToken) =>
        database.RunAsync(async (connection, stop) =>
        {
            await using var batch = new NpgsqlBatch(connection);
            batch.Add(Renew, Sql.Value(node));
            batch.Add("SELECT node, beat FROM nodes");
            await using var row = await batch.ExecuteReaderAsync(stop);
            var beats = new Dictionary<Guid, long>();
            while (await row.ReadAsync(stop))
            {
                beats.Add(row.GetGuid(0), row.GetInt64(1));
            }

            return beats;
        }, cancellationToken);

    /// <summary>Notes who has moved, and returns those who have stood still for too long.</summary>
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
        var runs = await endings.EndAllAsync(gone, beat, cancellationToken);
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
