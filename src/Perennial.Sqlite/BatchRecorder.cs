using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Records batches of events by the writer of the file.</summary>
internal sealed class BatchRecorder(WriterThread writer, bool flushesEveryEvent, TimeProvider time, ILogger logger) : IBatchRecorder
{
    private bool _isAway;       // used by the group commit only

    public async Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(WriteBatch batch, CancellationToken cancellationToken)
    {
        var runs = batch.Runs;
        var isFlushed = flushesEveryEvent || runs.Any(static run => run.Status != RunStatus.Running);
        return await writer.DoAsync(session => Record(session, runs), isFlushed, cancellationToken);
    }

    /// <summary>Makes room for the next attempt, if there is none.</summary>
    public async ValueTask OnFailedAsync(Exception failure)
    {
        if (!_isAway && IsTransient(failure))
        {
            _isAway = true;
            Log.Lost(logger, failure);
        }

        if (!Failures.IsFull(failure))
        {
            return;
        }

        try
        {
            if (await writer.DoAsync(Retention.ForgetEarly, isFlushed: false, CancellationToken.None) > 0)
            {
                Log.ForgottenEarly(logger);
            }
        }
        catch (RunStoreException e)
        {
            Log.PutOff(logger, "retention", e);
        }
    }

    public bool IsTransient(Exception failure) => Failures.IsTransient(failure);

    public bool IsOfOneRun(Exception failure) => Failures.IsFull(failure);

    public void OnRecovered()
    {
        _isAway = false;
        Log.Reached(logger);
    }

    public void OnAbandoned(RunKey run, Exception reason) => Log.GaveUp(logger, run.Epoch, reason);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    private List<(RunWrites Run, RunOutcome Outcome)> Record(Session session, IReadOnlyList<RunWrites> runs)
    {
        var outcomes = new List<(RunWrites, RunOutcome)>(runs.Count);
        foreach (var run in runs)
        {
            var tail = run.Run.Tail;
            foreach (var write in run.Writes)
            {
                Events.Append(session, run.Key.Run, ++tail, write.Content);
            }

            if (run.Status != RunStatus.Running)
            {
                Events.Close(session, run.Key.Run, tail, run.Status, time.Now());
            }

            outcomes.Add((run, RunOutcome.Recorded(run.Run.Tail, run.Status)));
        }

        return outcomes;
    }
}
