using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>Queries about runs. Safe from any thread.</summary>
internal sealed class RunReads(Database database, Names names, TimeSpan retention) : IRunReads
{
    private const int RunsAtATime = 500;
    private const int SweepValues = 3;

    private const string Find = Kept + """
        return kept(KEYS[1])
        """;

    private const string Kept = """
        local now = redis.call('TIME')
        local function kept(run)
            local h = redis.call('HMGET', run, 'until', 'id', 'epoch', 'dialect', 'owner', 'key', 'metadata', 'resume')
            if not h[3] or (h[1] and now[1] * 1000 + now[2] / 1000 >= tonumber(h[1])) then return false end
            return h
        end

        """;

    private const string Owned = Kept + """
        local runs, before, left = {}, ARGV[1], tonumber(ARGV[2])
        while left > 0 do
            local some = redis.call('ZREVRANGEBYSCORE', KEYS[1], before, '-inf', 'WITHSCORES', 'LIMIT', 0, 100)
            if #some == 0 then break end
            for i = 1, #some, 2 do
                before = '(' .. some[i + 1]
                local h = kept(some[i])
                if h and left > 0 then
                    h[1] = some[i + 1]
                    runs[#runs + 1] = h
                    left = left - 1
                end
            end
        end
        return runs
        """;

    private const string Keyed = Kept + """
        local newest = redis.call('ZREVRANGE', KEYS[1], 0, 0)
        return newest[1] and kept(newest[1])
        """;

    // COUNT keeps a reply small; the sizes of the events decide how many replies there are.
    private static readonly string Page = Scripts.Endings + """
        local run, seen, after, before, most = KEYS[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
        local h = redis.call('HMGET', run, 'epoch', 'status', 'tail')
        if h[1] ~= ARGV[1] then return false end
        local status, tail = tonumber(h[2]), tonumber(h[3])
        if tail < seen then
            lose(run, h[1], status, tail, ARGV[6])
            return false
        end
        local last = math.min(tail, before - 1)
        local records, bytes = {}, 0
        while after < last and bytes < most and #records < 1024 do
            local some = redis.call('XRANGE', run .. ':e', '0-' .. (after + 1), '1-' .. last, 'COUNT', 64)
            if #some == 0 then return redis.error_reply('ERR the stream has fewer events than the run') end
            for _, record in ipairs(some) do
                if bytes >= most then break end
                after = after + 1
                bytes = bytes + #record[2][2] + 64
                records[#records + 1] = record[2]
            end
        end
        return {status, tail, records}
        """;

    private static readonly string Tails = Scripts.Endings + """
        local tails = {}
        for i = 1, #KEYS do
            local epoch, seen = ARGV[i * 2], tonumber(ARGV[i * 2 + 1])
            local h = redis.call('HMGET', KEYS[i], 'epoch', 'status', 'tail', 'position')
            local status, tail = tonumber(h[2] or 0), tonumber(h[3] or 0)
            if h[1] == epoch and tail < seen then
                lose(KEYS[i], epoch, status, tail, ARGV[1])
                tails[i] = false
            else
                tails[i] = h[1] == epoch and {status, tail, tonumber(h[4] or 0)} or false
            end
        end
        return tails
        """;

    private const string Eviction = """
        local info = redis.pcall('INFO', 'memory')
        return type(info) == 'string' and string.match(info, 'maxmemory_policy:([%w-]+)') or ''
        """;

    public static RunStoreException NotKept() => new("The run is no longer kept.");

    public async Task<RunKey?> FindAsync(string id, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(Find, [names.Run(id)], [], cancellationToken);
        return result.IsNull ? null : KeyOf(result, id);
    }

    /// <summary>Finds the newest kept runs of an owner, before a place if there is one, each with its place.</summary>
    public async Task<List<(RunKey Key, long Place)>> FindOwnedAsync(
        string owner, int count, long? before, CancellationToken cancellationToken)
    {
        var limit = before is { } place ? FormattableString.Invariant($"({place}") : "+inf";
        var found = await database.RunAsync(Owned, [names.Owner(owner)], [limit, count], cancellationToken);
        return [.. ((RedisResult[])found!).Select(static run => (KeyOf(run, (string)run[1]!), (long)run[0]))];
    }

    /// <summary>Finds the newest open run with a key; null if there is none.</summary>
    public async Task<RunKey?> FindKeyedAsync(string key, CancellationToken cancellationToken)
    {
        var found = await database.RunAsync(Keyed, [names.Keyed(key)], [], cancellationToken);
        return found.IsNull ? null : KeyOf(found, (string)found[1]!);
    }

    public async Task<RunState?> StateAsync(RunKey key, long seen, CancellationToken cancellationToken) =>
        await FindPageAsync(key, seen, after: 0, long.MaxValue, maxBytes: 0, cancellationToken) is { } slice ? slice.State : null;

    public async Task<RunSlice> PageAsync(
        RunKey key, long seen, long after, long before, int maxBytes, CancellationToken cancellationToken) =>
        await FindPageAsync(key, seen, after, before, maxBytes, cancellationToken) ?? throw NotKept();

    /// <summary>
    /// Reads the progress of runs, for each with the newest sequence that this node has seen. Null for a run that is gone.
    /// </summary>
    public async Task<List<RunTail?>> TailsAsync(IReadOnlyList<(RunKey Key, long Seen)> runs, CancellationToken cancellationToken)
    {
        var tails = new List<RunTail?>(runs.Count);
        foreach (var some in runs.Chunk(RunsAtATime))
        {
            var values = new RedisValue[1 + (2 * some.Length)];
            values[0] = (long)retention.TotalMilliseconds;
            for (var n = 0; n < some.Length; n++)
            {
                (values[(2 * n) + 1], values[(2 * n) + 2]) = (some[n].Key.Epoch, some[n].Seen);
            }

            var found = await database.RunAsync(Tails, [.. some.Select(run => names.Run(run.Key.Id))], values, cancellationToken);
            for (var n = 0; n < some.Length; n++)
            {
                tails.Add(found[n].Length != SweepValues
                    ? null
                    : new RunTail(some[n].Key.Run, (RunStatus)(int)found[n][0], (long)found[n][1], (long)found[n][2], Producer: 0));
            }
        }

        return tails;
    }

    /// <summary>Which keys Redis removes when it is full; empty if it does not tell.</summary>
    public async Task<string> EvictionPolicyAsync(CancellationToken cancellationToken) =>
        (string?)await database.RunAsync(Eviction, [names.Nodes], [], cancellationToken) ?? "";

    private static RunKey KeyOf(RedisResult run, string id)
    {
        var epoch = (string)run[2]!;
        return new RunKey(Names.Number(id, epoch), id, epoch, (string?)run[3])
        {
            Description = MetadataText.Read(TextOf(run[4]), TextOf(run[5]), TextOf(run[6]), TextOf(run[7])),
        };
    }

    private static string? TextOf(RedisResult field) => (string?)field is { Length: > 0 } text ? text : null;

    private async Task<RunSlice?> FindPageAsync(
        RunKey key, long seen, long after, long before, int maxBytes, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(
            Page, [names.Run(key.Id)], [key.Epoch, seen, after, before, maxBytes, (long)retention.TotalMilliseconds], cancellationToken);
        if (result.IsNull)
        {
            return null;
        }

        var found = (RedisResult[])result[2]!;
        var records = new RunRecord[found.Length];
        for (var n = 0; n < records.Length; n++)
        {
            records[n] = new RunRecord(key.Epoch, after + n + 1, EventOf(found[n]));
        }

        return new RunSlice
        {
            Records = records,
            State = new RunState { Status = (RunStatus)(int)result[0], Tail = (long)result[1], Oldest = 1 },
        };
    }

    private static RunEvent EventOf(RedisResult fields)
    {
        var code = (int)fields[0];
        return new RunEvent
        {
            Kind = (RunDataKind)(code % Scripts.TypedKinds),
            Data = (byte[])fields[1]!,
            EventType = code < Scripts.TypedKinds ? null : (string?)fields[3],
        };
    }
}
