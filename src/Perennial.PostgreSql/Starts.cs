using Npgsql;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.PostgreSql;

/// <summary>The keys of requests that start runs. Safe from any thread.</summary>
/// <remarks>The statement that creates a run also records it under its key, so neither exists without the other.</remarks>
internal sealed class Starts(Database database, Guid node, StartOptions options)
{
    // An expired key can be claimed again. Two requests that claim it at the same time lock the row one after the other.
    private const string TryClaim = """
        WITH me AS (SELECT node FROM nodes WHERE node = $4 FOR KEY SHARE),
        claimed AS (
            INSERT INTO starts (name, fingerprint, request, node) SELECT $1, $2, $3, node FROM me
            ON CONFLICT (name) DO UPDATE SET
                fingerprint = excluded.fingerprint, request = excluded.request, node = excluded.node, run_id = NULL, claimed_at = clock_timestamp()
            WHERE starts.claimed_at + $5 <= clock_timestamp()
            RETURNING name)
        SELECT EXISTS (SELECT FROM me), EXISTS (SELECT FROM claimed)
        """;

    private const string Known = "SELECT fingerprint, request, run_id FROM starts WHERE name = $1";

    private const string Free = "DELETE FROM starts WHERE name = $1 AND request = $2";

    private const string ForgetOld = """
        DELETE FROM starts WHERE claimed_at + $1 <= clock_timestamp()
            OR (run_id IS NOT NULL AND claimed_at <= (SELECT claimed_at FROM starts ORDER BY claimed_at DESC OFFSET $2 LIMIT 1))
        """;

    /// <summary>Claims a key. Null if this node has no lease, because then no other node would free the claim after a crash.</summary>
    /// <exception cref="RunStoreException">The database cannot be used.</exception>
    public Task<StartClaim?> ClaimAsync(StartKey key, CancellationToken cancellationToken) =>
        database.RunAsync((connection, stop) => ClaimAsync(connection, key, stop), cancellationToken);

    public Task ReleaseAsync(StartKey key, CancellationToken cancellationToken) => database.RunAsync(async (connection, stop) =>
    {
        await using var free = connection.Command(Free, Sql.Value(key.Name), Sql.Value(key.Request));
        return await free.ExecuteNonQueryAsync(stop);
    }, cancellationToken);

    /// <summary>Forgets expired keys, and the oldest keys with a run if there are too many.</summary>
    public Task SweepAsync(CancellationToken cancellationToken) => database.RunAsync(async (connection, stop) =>
    {
        await using var forget = connection.Command(ForgetOld, Sql.Value(options.KeyRetention), Sql.Value(options.MaxKeys));
        return await forget.ExecuteNonQueryAsync(stop);
    }, cancellationToken);

    private async Task<StartClaim?> ClaimAsync(NpgsqlConnection connection, StartKey key, CancellationToken stop)
    {
        await using (var claim = connection.Command(
            TryClaim,
            Sql.Value(key.Name),
            Sql.Value(key.Fingerprint),
            Sql.Value(key.Request),
            Sql.Value(node),
            Sql.Value(options.KeyRetention)))
        {
            await using var row = await claim.ExecuteReaderAsync(stop);
            await row.ReadAsync(stop);
            if (!row.GetBoolean(0))
            {
                return null;
            }

            if (row.GetBoolean(1))
            {
                return new StartClaim { Outcome = StartClaimOutcome.Claimed };
            }
        }

        await using var query = connection.Command(Known, Sql.Value(key.Name));
        await using var known = await query.ExecuteReaderAsync(stop);
        // If the row is gone, another request has just freed the key: the next attempt claims it.
        return await known.ReadAsync(stop) 
            ? StartClaims.Of(key, known.GetString(0), known.GetGuid(1), known.IsDBNull(2) ? null : known.GetString(2))
            : new StartClaim { Outcome = StartClaimOutcome.UnderWay };
    }
}
