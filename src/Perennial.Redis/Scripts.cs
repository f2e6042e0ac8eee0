using System.Text;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.Redis;

/// <summary>What the Lua scripts share. Redis executes a script as a whole, so no other command sees half of it.</summary>
/// <remarks>
/// The keys of a run: <c>run</c> is a hash with its state; <c>run:e</c> a stream of its events; <c>run:m</c> a stream of the messages that
/// wait; <c>run:n</c> a hash of what is known of senders and keys; <c>run:s</c> and <c>run:k</c> the names in it by their last use.
/// An event has the id <c>0-sequence</c>, and the end <c>1-sequence</c>. So Redis itself refuses an event that is recorded already, and
/// every event after the end.
/// </remarks>
internal static class Scripts
{
    /// <summary>The time for which a run is kept after its retention, so that readers under way get its end.</summary>
    public const int GraceMilliseconds = 10_000;

    /// <summary>The time for which the list of an owner without open runs is kept: longer than any retention.</summary>
    public const long ListMilliseconds = 8L * 24 * 60 * 60 * 1000;

    /// <summary>The end of a run of which Redis has fewer events than it has confirmed.</summary>
    public static readonly RunEnd EventsLost = RunEnd.Failed("The store lost events of this run that it had confirmed.", "events_lost");

    /// <summary>
    /// <c>finish</c> records the end. <c>lose</c> gives a run another epoch, so that readers who come back are told of a gap, and ends it.
    /// <c>isrestarted</c> tells whether Redis may have lost events: another process of it has confirmed the last ones.
    /// </summary>
    public static readonly string Endings = $$"""
        local function finish(run, tail, status, code, etype, data, retention)
            redis.call('XADD', run .. ':e', '1-' .. (tail + 1), code, data, 't', etype)
            local h = redis.call('HMGET', run, 'of', 'keep', 'owned', 'keyed')
            local keep = tonumber(h[2] or retention)
            local now = redis.call('TIME')
            redis.call('HSET', run, 'status', status, 'tail', tail + 1, 'until', string.format('%.0f', now[1] * 1000 + keep))
            redis.call('SREM', h[1], run)
            redis.call('DEL', run .. ':m')
            if h[3] then
                redis.call('SREM', h[3] .. ':o', run)
                if redis.call('SCARD', h[3] .. ':o') == 0 then redis.call('PEXPIRE', h[3], {{ListMilliseconds}}) end
            end
            if h[4] then redis.call('ZREM', h[4], run) end
            for _, part in ipairs({'', ':e', ':n', ':s', ':k'}) do
                redis.call('PEXPIRE', run .. part, keep + {{GraceMilliseconds}})
            end
        end
        local function lose(run, epoch, status, tail, retention)
            redis.call('HSET', run, 'epoch', epoch .. 'x')
            if status == 0 then
                finish(run, tail, {{(int)RunStatus.Failed}}, '{{Code(EventsLost.ToEvent())}}', {{Text(EventsLost.ToEvent().EventType!)}},
                    {{Text(Encoding.UTF8.GetString(EventsLost.ToEvent().Data.Span))}}, retention)
            end
        end
        local function isrestarted(server)
            local info = redis.pcall('INFO', 'server')
            local id = type(info) == 'string' and string.match(info, 'run_id:(%w+)') or ''
            return server and server ~= '' and id ~= '' and server ~= id
        end

        """;

    /// <summary>The name of the field with an event's data: its kind, and whether it has a type.</summary>
    public static int Code(RunEvent item) => (int)item.Kind + (item.EventType is null ? 0 : TypedKinds);

    /// <summary>Added to the kind of an event with a type.</summary>
    public const int TypedKinds = 3;

    private static string Text(string text) => $"[==[{text}]==]";
}
