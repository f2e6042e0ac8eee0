using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>New runs, and the keys of requests that start them. Safe from any thread.</summary>
/// <remarks>The script that creates a run also records it under its key, so neither exists without the other.</remarks>
internal sealed class Starts(Database database, Names names, NodeTable table, Guid node, StartOptions options)
{
    private const string Unknown = "unknown";
    private const string Claimed = "claimed";

    private const string Claim = $"""
        local start, of = KEYS[1], KEYS[3]
        if redis.call('HEXISTS', KEYS[2], ARGV[1]) == 0 then return '{Unknown}' end
        local h = redis.call('HMGET', start, 'fingerprint', 'request', 'run')
        if h[1] then return h end
        redis.call('HSET', start, 'fingerprint', ARGV[2], 'request', ARGV[3], 'of', of)
        redis.call('PEXPIRE', start, ARGV[4])
        redis.call('SADD', of, start)
        return '{Claimed}'
        """;

    private const string Release = """
        local h = redis.call('HMGET', KEYS[1], 'request', 'of')
        if h[1] == ARGV[1] then
            redis.call('SREM', h[2], KEYS[1])
            redis.call('ZREM', KEYS[2], KEYS[1])
            redis.call('DEL', KEYS[1])
        end
        """;

    private const string Create = $$"""
        local run, nodes, of, starts, places, owned, keyed, start = unpack(KEYS)
        local function added()
            redis.call('SADD', of, run)
            return 'created'
        end
        if redis.call('HEXISTS', nodes, ARGV[1]) == 0 then return '{{Unknown}}' end
        local h = redis.call('HMGET', run, 'epoch', 'of', 'tail', 'status')
        if h[1] then return h[1] == ARGV[3] and h[2] == of and h[3] == '0' and h[4] == '0' and 'created' or 'exists' end
        if start then
            local s = redis.call('HMGET', start, 'request', 'of')
            if s[1] ~= ARGV[7] then return 'no key' end
            redis.call('HSET', start, 'run', ARGV[2])
            redis.call('SREM', s[2], start)
            local now = redis.call('TIME')
            redis.call('ZREMRANGEBYSCORE', starts, '-inf', now[1] - math.ceil(ARGV[8] / 1000))
            redis.call('ZADD', starts, now[1], start)
            while redis.call('ZCARD', starts) > tonumber(ARGV[9]) do
                redis.call('DEL', redis.call('ZPOPMIN', starts)[1])
            end
        end
        redis.call('HSET', run, 'epoch', ARGV[3], 'number', ARGV[4], 'takes', ARGV[5], 'of', of, 'server', ARGV[6], 'tail', 0, 'status', 0)
        if ARGV[10] ~= '' then redis.call('HSET', run, 'keep', ARGV[10]) end
        if ARGV[11] ~= '' then redis.call('HSET', run, 'dialect', ARGV[11]) end
        redis.call('HSET', run, 'id', ARGV[2])
        if ARGV[12] == '' and ARGV[13] == '' and ARGV[14] == '' and ARGV[15] == '' then return added() end
        redis.call('HSET', run, 'owner', ARGV[12], 'key', ARGV[13], 'metadata', ARGV[14], 'resume', ARGV[15])
        local place = redis.call('INCR', places)
        if ARGV[12] ~= '' then
            for _, old in ipairs(redis.call('ZRANGE', owned, 0, 9)) do
                if redis.call('EXISTS', old) == 0 then redis.call('ZREM', owned, old) end
            end
            redis.call('ZADD', owned, place, run)
            redis.call('PERSIST', owned)
            redis.call('SADD', owned .. ':o', run)
            redis.call('HSET', run, 'owned', owned)
        end
        if ARGV[13] ~= '' then
            redis.call('ZADD', keyed, place, run)
            redis.call('HSET', run, 'keyed', keyed)
        end
        return added()
        """;

    /// <summary>Records a run. Returns whether this node has a lease, and whether the run is recorded.</summary>
    /// <exception cref="RunStoreException">Redis cannot be reached, or the request does not have its key.</exception>
    public async Task<(bool IsKnown, bool IsCreated)> CreateAsync(NewRun run, CancellationToken cancellationToken)
    {
        var (owner, key, metadata) = (run.Description.Owner ?? "", run.Description.Key ?? "", MetadataText.Of(run.Description) ?? "");
        RedisKey[] keys =
        [
            names.Run(run.Id), names.Nodes, names.RunsOf(node), names.Starts, names.Places, names.Owner(owner), names.Keyed(key),
        ];
        RedisValue[] values =
        [
            node.ToString("N"), run.Id, run.Epoch, Names.Number(run.Id, run.Epoch), run.TakesMessages ? 1 : 0, table.Server,
            run.Start?.Request.ToString("N") ?? RedisValue.EmptyString, Milliseconds(options.KeyRetention), options.MaxKeys,
            run.Retention is { } retention ? Milliseconds(retention) : RedisValue.EmptyString, run.Dialect ?? RedisValue.EmptyString,
            owner, key, metadata, run.Description.ResumeWith ?? RedisValue.EmptyString,
        ];
        if (run.Start is { } start)
        {
            keys = [.. keys, names.Start(start.Name)];
        }

        return (string?)await database.RunAsync(Create, keys, values, cancellationToken) switch
        {
            Unknown => (false, false),
            "created" => (true, true),
            "no key" => throw new RunStoreException("The request that starts the run no longer has its Idempotency-Key."),
            _ => (true, false),
        };
    }

    /// <summary>Claims a key. Null if this node has no lease, because then no other node would free the claim after a crash.</summary>
    /// <exception cref="RunStoreException">Redis cannot be reached.</exception>
    public async Task<StartClaim?> ClaimAsync(StartKey key, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(
            Claim, [names.Start(key.Name), names.Nodes, names.StartsOf(node)],
            [node.ToString("N"), key.Fingerprint, key.Request.ToString("N"), Milliseconds(options.KeyRetention)], cancellationToken);
        if (result.Length >= 0)
        {
            return StartClaims.Of(key, (string)result[0]!, Guid.ParseExact((string)result[1]!, "N"), (string?)result[2]);
        }

        return string.Equals((string?)result, Claimed, StringComparison.Ordinal)
            ? new StartClaim { Outcome = StartClaimOutcome.Claimed }
            : null;
    }

    public Task ReleaseAsync(StartKey key, CancellationToken cancellationToken) =>
        database.RunAsync(Release, [names.Start(key.Name), names.Starts], [key.Request.ToString("N")], cancellationToken);

    private static long Milliseconds(TimeSpan time) => (long)time.TotalMilliseconds;
}
