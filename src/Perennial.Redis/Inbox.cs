using System.Globalization;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>Messages to producers. Each is recorded once, even if it is sent several times. Safe from any thread.</summary>
internal sealed class Inbox(Database database, Names names, long maxPendingBytes) : INodeInbox
{
    private const int MostMessages = 256;
    private const int FieldsAt = 9;       // the first field of the message among the values of Receive

    // The same judgement as InboxState.Judge, where the message is recorded.
    private static readonly string Receive = $$"""
        local run, names = KEYS[1], KEYS[1] .. ':n'
        local sender, number, key, print = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5]
        local refusal, size, most = ARGV[6], tonumber(ARGV[7]), tonumber(ARGV[8])
        local h = redis.call('HMGET', run, 'epoch', 'takes', 'status', 'pending')
        if h[1] ~= ARGV[1] then return false end
        local pending = tonumber(h[4] or 0)
        local received = sender ~= '' and tonumber(redis.call('HGET', names, 's' .. sender) or 0) or 0
        local known = key ~= '' and redis.call('HGET', names, 'k' .. key)
        local outcome = {{(int)ReceiveOutcome.Accepted}}
        if known then outcome = known == print and {{(int)ReceiveOutcome.Repeated}} or {{(int)ReceiveOutcome.OtherMessage}}
        elseif sender ~= '' and number <= received then outcome = {{(int)ReceiveOutcome.Repeated}}
        elseif h[2] == '0' then outcome = {{(int)ReceiveOutcome.NotTaken}}
        elseif h[3] ~= '0' then outcome = {{(int)ReceiveOutcome.Ended}}
        elseif sender ~= '' and number > received + 1 then outcome = {{(int)ReceiveOutcome.Hole}}
        elseif refusal == '' and pending > 0 and pending + size > most then outcome = {{(int)ReceiveOutcome.Full}} end
        local accepted = outcome == {{(int)ReceiveOutcome.Accepted}}
        if h[3] ~= '0' or not (accepted or outcome == {{(int)ReceiveOutcome.Repeated}}) then return {outcome, received} end
        local seen = redis.call('HINCRBY', run, 'seen', 1)
        local function remember(mark, name, value, most)
            redis.call('HSET', names, mark .. name, value)
            redis.call('ZADD', run .. ':' .. mark, seen, name)
            while redis.call('ZCARD', run .. ':' .. mark) > most do
                local oldest = redis.call('ZPOPMIN', run .. ':' .. mark)[1]
                redis.call('HDEL', names, mark .. oldest, 'r' .. mark .. oldest)
            end
        end
        if sender ~= '' then
            if accepted then received = number end
            remember('s', sender, received, {{MessageNames.RememberedSenders}})
        end
        if key ~= '' then remember('k', key, print, {{MessageNames.RememberedKeys}}) end
        if not accepted then return {outcome, received} end
        if refusal == '' then
            local position = redis.call('HINCRBY', run, 'position', 1)
            redis.call('HINCRBY', run, 'pending', size)
            redis.call('XADD', run .. ':m', '0-' .. position, unpack(ARGV, {{FieldsAt}}))
        elseif sender ~= '' then
            local packed = redis.call('HGET', names, 'rs' .. sender)
            local refusals = packed and cmsgpack.unpack(packed) or {}
            refusals[#refusals + 1] = {number, refusal}
            if #refusals > {{MessageNames.RememberedRefusals}} then table.remove(refusals, 1) end
            redis.call('HSET', names, 'rs' .. sender, cmsgpack.pack(refusals))
        end
        return {outcome, received}
        """;

    private const string Sender = """
        local names, first = KEYS[1] .. ':n', tonumber(ARGV[2])
        local h = redis.call('HMGET', names, 's' .. ARGV[1], 'rs' .. ARGV[1])
        local answer, open = {tonumber(h[1] or 0)}, {}
        for _, refusal in ipairs(h[2] and cmsgpack.unpack(h[2]) or {}) do
            if refusal[1] >= first then
                open[#open + 1] = refusal
                answer[#answer + 1] = refusal[1]
                answer[#answer + 1] = refusal[2]
            end
        end
        if h[2] then redis.call('HSET', names, 'rs' .. ARGV[1], cmsgpack.pack(open)) end
        return answer
        """;

    private static readonly string Read = $$"""
        local run, waiting, after = KEYS[1], KEYS[1] .. ':m', tonumber(ARGV[2])
        local h = redis.call('HMGET', run, 'epoch', 'status')
        if h[1] ~= ARGV[1] or h[2] ~= '0' then return {} end
        local done = 0
        for _, message in ipairs(redis.call('XRANGE', waiting, '-', '0-' .. after)) do
            done = done + #message[2][#message[2]] + {{InboxState.Overhead}}
            redis.call('XDEL', waiting, message[1])
        end
        if done > 0 then redis.call('HINCRBY', run, 'pending', -done) end
        return redis.call('XRANGE', waiting, '0-' .. (after + 1), '+', 'COUNT', {{MostMessages}})
        """;

    /// <summary>Records a message, unless it is a repeat or is refused.</summary>
    /// <remarks>
    /// A message without a name cannot be distinguished from its repeat, so it is not tried again after a lost connection.
    /// </remarks>
    public async Task<ReceiveResult> ReceiveAsync(RunKey key, RunMessage message, CancellationToken cancellationToken)
    {
        RedisKey[] keys = [names.Run(key.Id)];
        var values = ValuesOf(key, message);
        var result = message.Sender is null && message.Key is null
            ? await database.RunOnceAsync(Receive, keys, values, cancellationToken)
            : await database.RunAsync(Receive, keys, values, cancellationToken);
        return result.IsNull
            ? throw RunReads.NotKept()
            : new ReceiveResult { Outcome = (ReceiveOutcome)(int)result[0], Received = (long)result[1] };
    }

    public async Task<SenderState> GetSenderAsync(RunKey key, string sender, long firstOpen, CancellationToken cancellationToken)
    {
        var result = (RedisResult[])(await database.RunAsync(
            Sender, [names.Run(key.Id)], [MessageNames.HashOf(sender), firstOpen], cancellationToken))!;
        var refusals = new List<RunRefusal>();
        for (var n = 1; n < result.Length; n += 2)
        {
            refusals.Add(new RunRefusal { Number = (long)result[n], Code = (string)result[n + 1]! });
        }

        return new SenderState { Received = (long)result[0], Refusals = refusals };
    }

    public async Task<IReadOnlyList<RunMessage>> ReadAsync(RunKey key, long after, CancellationToken cancellationToken)
    {
        var result = await database.RunAsync(Read, [names.Run(key.Id)], [key.Epoch, after], cancellationToken);
        return [.. ((RedisResult[])result!).Select(MessageOf)];
    }

    private RedisValue[] ValuesOf(RunKey key, RunMessage message)
    {
        var isKeyed = message.Key is not null;
        var values = new List<RedisValue>
        {
            key.Epoch,
            MessageNames.HashOf(message.Sender),
            message.Number,
            isKeyed ? MessageNames.HashOf(MessageNames.KeyOf(message)) : RedisValue.EmptyString,
            isKeyed ? message.ComputeFingerprint() : RedisValue.EmptyString,
            message.Refusal ?? RedisValue.EmptyString,
            message.Data.Length + InboxState.Overhead,
            maxPendingBytes,
        };
        Add("b", message.IsBinary ? 1 : 0);
        Add("n", message.Number);
        if (message.Sender is { } sender)
        {
            Add("s", sender);
        }

        if (message.Key is { } name)
        {
            Add("k", name);
        }

        Add("d", message.Data);
        return [.. values];

        void Add(string field, RedisValue value) => values.AddRange([field, value]);
    }

    private static RunMessage MessageOf(RedisResult entry)
    {
        var id = (string)entry[0]!;
        var fields = entry[1].ToDictionary();
        return new RunMessage
        {
            Position = long.Parse(id.AsSpan(id.IndexOf('-') + 1), CultureInfo.InvariantCulture),
            IsBinary = (int)fields["b"] == 1,
            Number = (long)fields["n"],
            Sender = (string?)fields.GetValueOrDefault("s"),
            Key = (string?)fields.GetValueOrDefault("k"),
            Data = (byte[])fields["d"]!,
        };
    }
}
