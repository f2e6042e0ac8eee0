using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>The nodes, and the ends of runs that this node does not produce: by a stop, or because their node is gone.</summary>
internal sealed class NodeTable(Database database, Names names, Guid self, TimeSpan retention) : INodeTable
{
    private const string Beat = """
        redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
        local info = redis.pcall('INFO', 'server')
        local server = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
        return {server, redis.call('HGETALL', KEYS[1])}
        """;

    private static readonly string EndOne = Scripts.Endings + """
        local run = KEYS[1]
        local h = redis.call('HMGET', run, 'epoch', 'status', 'tail', 'server')
        if h[1] ~= ARGV[1] then return false end
        if h[2] ~= '0' then return tonumber(h[2]) end
        if isrestarted(h[4]) then redis.call('HSET', run, 'epoch', h[1] .. 'x') end
        finish(run, tonumber(h[3]), ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6])
        return tonumber(ARGV[2])
        """;

    private static readonly string StrikeNode = Scripts.Endings + """
        local beat = redis.call('HGET', KEYS[1], ARGV[1])
        if not beat or (ARGV[2] ~= '' and beat ~= ARGV[2]) then return {} end
        redis.call('HDEL', KEYS[1], ARGV[1])
        for _, start in ipairs(redis.call('SMEMBERS', KEYS[3])) do
            local h = redis.call('HMGET', start, 'of', 'run')
            if h[1] == KEYS[3] and not h[2] then redis.call('DEL', start) end
        end
        redis.call('DEL', KEYS[3])
        local ended = {}
        for _, run in ipairs(redis.call('SMEMBERS', KEYS[2])) do
            local h = redis.call('HMGET', run, 'epoch', 'status', 'tail', 'server', 'number')
            if h[2] == '0' then
                if isrestarted(h[4]) then redis.call('HSET', run, 'epoch', h[1] .. 'x') end
                -- A run whose keys somebody has damaged must not keep the others from ending.
                if not pcall(finish, run, tonumber(h[3]), ARGV[3], ARGV[4], ARGV[5], ARGV[6], ARGV[7]) then redis.call('DEL', run) end
                ended[#ended + 1] = h[5]
            end
        end
        redis.call('DEL', KEYS[2])
        return ended
        """;

    private volatile string _server = "";

    /// <summary>The set of this node's open runs, which also identifies the node as their producer.</summary>
    public RedisValue Runs { get; } = names.RunsOf(self).ToString();

    /// <summary>The id of the server process that answered last; empty if it is unknown.</summary>
    public string Server => _server;

    public Task RegisterAsync(Guid node, CancellationToken cancellationToken) => BeatAsync(node, cancellationToken);

    public async Task<Dictionary<Guid, long>> BeatAsync(Guid node, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(Beat, [names.Nodes], [node.ToString("N")], cancellationToken);
        _server = (string?)result[0] ?? "";
        var fields = (RedisResult[])result[1]!;
        var beats = new Dictionary<Guid, long>(fields.Length / 2);
        for (var n = 0; n < fields.Length; n += 2)
        {
            beats.Add(Guid.ParseExact((string)fields[n]!, "N"), (long)fields[n + 1]);
        }

        return beats;
    }

    public async Task<IReadOnlyList<long>> EndAllAsync(Guid node, long? beat, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(
            StrikeNode, [names.Nodes, names.RunsOf(node), names.StartsOf(node)],
            [node.ToString("N"), beat ?? RedisValue.EmptyString, .. EndValues(RunEnd.ProducerLost)], cancellationToken);
        return (long[])result!;
    }

    /// <summary>Ends a run, unless it has ended. Returns its final status.</summary>
    /// <exception cref="RunStoreException">Redis cannot be reached, or the run is no longer kept.</exception>
    public async Task<RunStatus> EndAsync(RunKey key, RunEnd ending, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(EndOne, [names.Run(key.Id)], [key.Epoch, .. EndValues(ending)], cancellationToken);
        return result.IsNull ? throw RunReads.NotKept() : (RunStatus)(int)result;
    }

    private RedisValue[] EndValues(RunEnd ending)
    {
        var last = ending.ToEvent();
        return [(int)ending.Status, Scripts.Code(last), last.EventType, last.Data, (long)retention.TotalMilliseconds];
    }
}
