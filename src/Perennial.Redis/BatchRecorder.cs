using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;
using Perennial.SeveralNodes;
using StackExchange.Redis;

namespace Perennial.Redis;

/// <summary>Records batches: one script for each run, all sent at once.</summary>
/// <remarks>
/// A script contains the expected tail of its run, so a repeat after a lost connection records nothing twice. If the tail has moved by
/// exactly the number of events, the first attempt succeeded, because only this node appends to the run.
/// </remarks>
internal sealed class BatchRecorder(Database database, Names names, NodeTable node, TimeSpan retention, ILogger logger) : IBatchRecorder
{
    private const int Parameters = 6;

    private static readonly string Append = Scripts.Endings + $$"""
        local run, epoch, base, status = KEYS[1], ARGV[1], tonumber(ARGV[3]), ARGV[4]
        local h = redis.call('HMGET', run, 'epoch', 'of', 'status', 'tail')
        if h[1] ~= epoch then return 'gone' end
        local was, tail = tonumber(h[3]), tonumber(h[4])
        if base and (was == 0 and tail or tail - 1) < base then
            lose(run, epoch, was, tail, ARGV[5])
            return 'lost'
        end
        if was ~= 0 or h[2] ~= ARGV[2] or (base and tail ~= base) then return {was, tail} end
        local last = #ARGV
        if status ~= '0' then last = last - 3 end
        for i = {{Parameters + 1}}, last, 3 do
            tail = tail + 1
            if tonumber(ARGV[i]) < {{Scripts.TypedKinds}} then
                redis.call('XADD', run .. ':e', '0-' .. tail, ARGV[i], ARGV[i + 2])
            else
                redis.call('XADD', run .. ':e', '0-' .. tail, ARGV[i], ARGV[i + 2], 't', ARGV[i + 1])
            end
        end
        if status == '0' then
            redis.call('HSET', run, 'tail', tail, 'server', ARGV[6])
        else
            finish(run, tail, status, ARGV[last + 1], ARGV[last + 2], ARGV[last + 3], ARGV[5])
            tail = tail + 1
        end
        return tail
        """;

    public async Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(WriteBatch batch, CancellationToken cancellationToken)
    {
        var runs = batch.Runs;
        var calls = new Task<RedisResult>[runs.Count];
        for (var n = 0; n < calls.Length; n++)
        {
            calls[n] = database.EvaluateAsync(Append, [names.Run(runs[n].Key.Id)], Values(runs[n]));
        }

        var results = await Task.WhenAll(calls).WaitAsync(cancellationToken);
        var outcomes = new (RunWrites, RunOutcome)[calls.Length];
        for (var n = 0; n < calls.Length; n++)
        {
            outcomes[n] = (runs[n], OutcomeOf(runs[n], results[n]));
        }

        return outcomes;
    }

    public bool IsTransient(Exception failure) => Database.IsFailure(failure) && !Database.IsRefusal(failure);

    public bool IsOfOneRun(Exception failure) => false;

    public ValueTask OnFailedAsync(Exception failure)
    {
        if (IsTransient(failure))
        {
            database.OnLost(failure);
        }

        return ValueTask.CompletedTask;
    }

    public void OnRecovered() => database.OnReached();

    public void OnAbandoned(RunKey run, Exception reason) => Log.GaveUp(logger, run.Epoch, reason);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private RedisValue[] Values(RunWrites run)
    {
        var values = new RedisValue[Parameters + (3 * run.Writes.Count)];
        values[0] = run.Key.Epoch;
        values[1] = node.Runs;
        values[2] = run.Base ?? RedisValue.EmptyString;
        values[3] = (int)run.Status;
        values[4] = (long)retention.TotalMilliseconds;
        values[5] = node.Server;
        var next = Parameters;
        foreach (var write in run.Writes)
        {
            values[next++] = Scripts.Code(write.Content);
            values[next++] = write.Content.EventType ?? RedisValue.EmptyString;
            values[next++] = write.Content.Data;
        }

        return values;
    }

    private RunOutcome OutcomeOf(RunWrites run, RedisResult result)
    {
        switch (result.Resp3Type)
        {
            case ResultType.Integer:
                return RunOutcome.Recorded((long)result - run.Writes.Count, run.Status);
            case ResultType.Array:
                return RunOutcome.Explain(run, (RunStatus)(int)result[0], (long)result[1]);
            default:
                if (string.Equals((string?)result, "lost", StringComparison.Ordinal))
                {
                    Log.EventsLost(logger, run.Key.Epoch);
                }

                return RunOutcome.Refused(AppendOutcome.Fenced, RunStatus.Failed);
        }
    }
}
