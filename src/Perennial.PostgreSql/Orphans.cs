using Perennial.GroupCommit;
using Perennial.SeveralNodes;

namespace Perennial.PostgreSql;

/// <summary>The open runs without a producer that name a resumption. A node takes them over, or they end.</summary>
/// <remarks>
/// Such a run belongs to no node. A node that sees it for a whole lease ends it as lost. It measures by its own clock and since its own
/// start, so runs that were left while no node was there can be taken over.
/// </remarks>
internal sealed class Orphans(
    Database database, RunEndings endings, WakeUps wakeUps, RunViews views, Guid node, TimeSpan patience, TimeProvider time)
{
    // The row of the node is locked as at the creation of a run: see RunEndings. A first attempt whose answer was lost has taken runs that
    // nobody produces; the next call returns those.
    private const string Take = """
        WITH me AS (SELECT node FROM nodes WHERE node = $1 FOR KEY SHARE),
        left_over AS (
            SELECT run FROM runs
            WHERE status = 0 AND (node = $2 OR ($5 AND node = $1 AND producer > 1 AND run <> ALL ($6))) AND resume_with = ANY ($3) AND EXISTS (SELECT FROM me)
            ORDER BY run LIMIT $4 FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE runs r SET node = $1, producer = r.producer + 1 FROM left_over l WHERE r.run = l.run RETURNING r.*
        )
        SELECT run, id, epoch, dialect, owner, key, metadata, resume_with, producer, tail, (
            SELECT coalesce(sum(octet_length(data) + coalesce(octet_length(type), 0) + 64), 0)::bigint FROM events e WHERE e.run = taken.run)
        FROM taken
        """;

    private const string Waiting = "SELECT run FROM runs WHERE node = $1 AND status = 0 LIMIT 1000";

    private readonly Dictionary<long, long> _seen = [];     // run to the time of its first sight; used only by SweepAsync
    private readonly HashSet<long> _taken = [];             // used only by TakeOverAsync, one call at a time
    private bool _mayHaveTaken;                             // used only by TakeOverAsync, one call at a time
    private int _isTaking;

    /// <summary>The owner of runs without a producer, which is no node.</summary>
    public static Guid NoNode => Guid.Empty;

    /// <summary>Takes runs over. Returns none while another call of this node is under way.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public async Task<List<Orphan>> TakeOverAsync(IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken)
    {
        if (resumptions.Count == 0 || count == 0 || Interlocked.Exchange(ref _isTaking, 1) == 1)
        {
            return [];
        }

        try
        {
            return await TakeAsync(resumptions, count, cancellationToken);
        }
        finally
        {
            Volatile.Write(ref _isTaking, 0);
        }
    }

    /// <summary>Ends the runs that no node has taken over for too long.</summary>
    /// <exception cref="Perennial.AspNetCore.Stores.RunStoreException">The database cannot be reached.</exception>
    public async Task SweepAsync(CancellationToken cancellationToken)
    {
        var waiting = await database.RunAsync(async (connection, stop) =>
        {
            await using var query = connection.Command(Waiting, Sql.Value(NoNode));
            await using var row = await query.ExecuteReaderAsync(stop);
            var runs = new HashSet<long>();
            while (await row.ReadAsync(stop))
            {
                runs.Add(row.GetInt64(0));
            }

            return runs;
        }, cancellationToken);
        foreach (var run in _seen.Keys.Where(run => !waiting.Contains(run)).ToArray())
        {
            _seen.Remove(run);
        }

        foreach (var run in waiting)
        {
            _seen.TryAdd(run, time.GetTimestamp());
        }

        var overdue = _seen.Where(run => time.GetElapsedTime(run.Value) >= patience).Select(static run => run.Key).ToArray();
        foreach (var run in overdue.Length == 0 ? [] : await endings.EndOrphansAsync(overdue, cancellationToken))
        {
            views.WatchedOf(run)?.MarkStale();
            wakeUps.AddRecords(run);
        }
    }

    private async Task<List<Orphan>> TakeAsync(IReadOnlyCollection<string> resumptions, int count, CancellationToken cancellationToken)
    {
        var isRetry = _mayHaveTaken;
        _mayHaveTaken = true;
        var taken = await database.RunOnceAsync(async (connection, stop) =>
        {
            await using var take = connection.Command(
                Take, Sql.Value(node), Sql.Value(NoNode), Sql.Value(resumptions.ToArray()), Sql.Value((long)count), Sql.Value(isRetry),
                Sql.Value(_taken.ToArray()));
            await using var row = await take.ExecuteReaderAsync(stop);
            var runs = new List<Orphan>();
            while (await row.ReadAsync(stop))
            {
                runs.Add(new Orphan(RunReads.KeyOf(row), row.GetInt32(8), row.GetInt64(9), row.GetInt64(10)));
            }

            return runs;
        }, cancellationToken);
        _mayHaveTaken = false;
        _taken.UnionWith(taken.Select(static run => run.Key.Run));
        return taken;
    }
}

/// <summary>A run that this node has taken over.</summary>
/// <param name="Key">Its names.</param>
/// <param name="Producer">The number of its producer.</param>
/// <param name="Tail">Its newest sequence.</param>
/// <param name="Bytes">The bytes of its events, as MaxBytesPerRun counts.</param>
internal sealed record Orphan(RunKey Key, int Producer, long Tail, long Bytes);
