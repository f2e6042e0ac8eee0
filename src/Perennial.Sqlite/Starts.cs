using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>The keys of requests that start runs.</summary>
internal static class Starts
{
    private const string TryClaim = """
        INSERT INTO starts (name, fingerprint, request, claimed_at) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET
            fingerprint = excluded.fingerprint, request = excluded.request, run_id = NULL, claimed_at = excluded.claimed_at
        WHERE claimed_at <= $5
        """;

    private const string Known = "SELECT fingerprint, request, run_id FROM starts WHERE name = $1";

    private const string Free = "DELETE FROM starts WHERE name = $1 AND request = $2";

    private const string FreeOpen = "DELETE FROM starts WHERE run_id IS NULL";

    private const string ForgetOld = """
        DELETE FROM starts WHERE claimed_at <= $1
            OR (run_id IS NOT NULL AND claimed_at <= (SELECT claimed_at FROM starts ORDER BY claimed_at DESC LIMIT 1 OFFSET $2))
        """;

    /// <summary>Claims a key. A key that has expired can be claimed again.</summary>
    public static StartClaim Claim(Session session, StartKey key, StartOptions options, long now)
    {
        var expired = now - (long)options.KeyRetention.TotalMilliseconds;
        if (session.Execute(TryClaim, key.Name, key.Fingerprint, key.Request.ToByteArray(), now, expired) == 1)
        {
            return new StartClaim { Outcome = StartClaimOutcome.Claimed };
        }

        using var row = session.Read(Known, key.Name);
        row.Read();
        return StartClaims.Of(key, row.GetString(0), new Guid(row.GetFieldValue<byte[]>(1)), row.IsDBNull(2) ? null : row.GetString(2));
    }

    /// <summary>Frees a key, unless another request has it.</summary>
    public static int Release(Session session, StartKey key) => session.Execute(Free, key.Name, key.Request.ToByteArray());

    /// <summary>Frees the keys of requests that have not started a run. Used when the process that handled them is gone.</summary>
    public static int ReleaseAll(Session session) => session.Execute(FreeOpen);

    /// <summary>Forgets expired keys, and the oldest keys with a run if there are too many.</summary>
    public static int Sweep(Session session, StartOptions options, long now) =>
        session.Execute(ForgetOld, now - (long)options.KeyRetention.TotalMilliseconds, (long)options.MaxKeys);
}
