using Microsoft.Extensions.Logging;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.Sqlite;

/// <summary>Records batches of events by the writer of the file.</summary>
internal sealed class BatchRecorder(WriterThread writer, bool flushesEveryEvent, TimeProvider time, ILogger logger) : IBatchRecorder
{
    private volatile RunStoreException? _trouble;

    /// <summary>The failure of the last batch; null if it was recorded.</summary>
    public RunStoreException? Trouble => _trouble;

    public async Task<IReadOnlyList<(RunWrites Run, RunOutcome Outcome)>> RecordAsync(WriteBatch batch, CancellationToken cancellationToken)
    {
        var runs = batch.Runs;
        var isFlushed = flushesEveryEvent || runs.Any(static run => run.Status != RunStatus.Running);
        var outcomes = await writer.DoAsync(session => Record(session, runs), isFlushed, cancellationToken);
        _trouble = null;
        return outcomes;
    }

    public ValueTask OnFailedAsync(Exception failure)
    {
        _trouble = failure as RunStoreException;
        return ValueTask.CompletedTask;
    }

    public bool IsTransient(Exception failure) => Failures.IsTransient(failure);

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
