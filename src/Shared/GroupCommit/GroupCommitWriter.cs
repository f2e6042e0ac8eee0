using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>
/// Writes the events in the queue in batches: each batch takes all waiting events, and while it is recorded, the next one gathers.
/// </summary>
/// <remarks>
/// While the store is unavailable, a batch is tried again until its oldest write has waited too long. Then the run of that write is
/// abandoned: its producer gets an exception. As soon as the store works again, the run's end is recorded as failed.
/// </remarks>
internal sealed class GroupCommitWriter(IBatchRecorder recorder, WriteQueue queue, TimeSpan limit, TimeProvider time)
{
    private static readonly TimeSpan RetryDelay = TimeSpan.FromMilliseconds(200);
    private static readonly RunEnd GivenUp = RunEnd.Failed("The events of this run could not be recorded in time.", "store_unavailable");

    private List<QueuedWrite> _left = [];       // of the last batch, to be tried again with the next; used only by the loop

    private volatile Exception? _trouble;

    /// <summary>The reason why writes wait to be tried again; null if none do.</summary>
    public Exception? Trouble => _trouble;

    /// <summary>Runs until the token is cancelled. Writes that wait then fail.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var waking = stop.UnsafeRegister(static queue => ((WriteQueue)queue!).Wake(), queue);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                for (var writes = Take(); writes.Count > 0; writes = Take())
                {
                    await WriteAsync(new WriteBatch(writes), stop);
                    // A producer whose write was recorded usually writes the next event at once. Without a turn for producers, every other
                    // batch is nearly empty.
                    await Task.Yield();
                }

                await queue.WaitAsync();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
        }
        finally
        {
            queue.Close();
            FailAll(_left);
            await recorder.DisposeAsync();
        }
    }

    private List<QueuedWrite> Take()
    {
        List<QueuedWrite> writes = [.. _left, .. queue.Take()];
        _left = [];
        return writes;
    }

    private async Task WriteAsync(WriteBatch batch, CancellationToken stop)
    {
        while (await TryRecordAsync(batch, stop) is { } failure)
        {
            _trouble = failure;
            await recorder.OnFailedAsync(failure);
            var isOfOneRun = recorder.IsOfOneRun(failure);
            if (isOfOneRun && batch.Runs.Count > 1 && await RecordEachAsync(batch, stop))
            {
                break;
            }

            GiveUpOverdue(batch, failure);
            await Task.Delay(RetryDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (isOfOneRun || batch.Runs.Count == 0)
            {
                // The writes that other runs have queued meanwhile do not wait for these.
                _left.AddRange(batch.Runs.SelectMany(static run => run.Writes));
                return;
            }
        }

        if (_trouble is not null)
        {
            _trouble = null;
            recorder.OnRecovered();
        }
    }

    /// <summary>Records a batch. Returns the failure if it must be tried again.</summary>
    private async Task<Exception?> TryRecordAsync(WriteBatch batch, CancellationToken stop)
    {
        try
        {
            foreach (var (run, outcome) in await recorder.RecordAsync(batch, stop))
            {
                Settle(run, outcome);
            }

            return null;
        }
        catch (Exception) when (stop.IsCancellationRequested)
        {
            FailAll(batch.Runs.SelectMany(static run => run.Writes));
            throw new OperationCanceledException(stop);
        }
        catch (Exception e) when (recorder.IsTransient(e))
        {
            return e;
        }
        catch (Exception e)
        {
            await recorder.OnFailedAsync(e);
            await SingleOutAsync(batch, e, stop);
            return null;
        }
    }

    /// <summary>Records each run alone. Those that cannot be recorded stay in the batch. Returns whether there are none.</summary>
    private async Task<bool> RecordEachAsync(WriteBatch batch, CancellationToken stop)
    {
        foreach (var run in batch.Runs.ToArray())
        {
            if (await TryRecordAsync(new WriteBatch(run.Writes), stop) is null)
            {
                batch.Remove(run);
            }
        }

        return batch.Runs.Count == 0;
    }

    /// <summary>Abandons a run with an event that the store refuses, so that the writes of other runs go on.</summary>
    private async Task SingleOutAsync(WriteBatch batch, Exception refusal, CancellationToken stop)
    {
        if (batch.Runs is [var culprit])
        {
            GiveUp(batch, culprit, "The store refused an event of this run.", refusal);
            return;
        }

        foreach (var run in batch.Runs)
        {
            await WriteAsync(new WriteBatch(run.Writes), stop);
        }
    }

    private void Settle(RunWrites writes, RunOutcome outcome)
    {
        if (outcome.Refusal is { } refusal)
        {
            queue.Refuse(writes.Run, refusal);
            writes.Run.OnEndedElsewhere();
            foreach (var write in writes.Writes)
            {
                Complete(write, new WriteResult(refusal, 0, outcome.Status));
            }

            return;
        }

        var records = new RunRecord[writes.Writes.Count];
        for (var n = 0; n < records.Length; n++)
        {
            records[n] = new RunRecord(writes.Key.Epoch, outcome.Base + n + 1, writes.Writes[n].Content);
        }

        writes.Run.Tail = records[^1].Sequence;
        if (outcome.Status != RunStatus.Running)
        {
            queue.Refuse(writes.Run, AppendOutcome.Closed);
        }

        writes.Run.Publish(records, new RunState { Status = writes.Status, Tail = writes.Run.Tail, Oldest = 1 });
        if (outcome.Status != writes.Status)
        {
            writes.Run.OnEndedElsewhere();
        }

        for (var n = 0; n < records.Length; n++)
        {
            Complete(writes.Writes[n], new WriteResult(AppendOutcome.Appended, records[n].Sequence, outcome.Status));
        }
    }

    private void Complete(QueuedWrite write, WriteResult result)
    {
        queue.Release(write);
        write.TrySetResult(result);
    }

    private void GiveUpOverdue(WriteBatch batch, Exception reason)
    {
        foreach (var run in batch.Runs.Where(run => queue.IsOverdue(run.Writes[0], limit)).ToArray())
        {
            GiveUp(batch, run, "The store of runs was unavailable for too long.", reason);
        }

        foreach (var run in queue.Overdue(limit))
        {
            GiveUp(run, "The store of runs was unavailable for too long.", reason, GivenUp);
        }
    }

    private void GiveUp(WriteBatch batch, RunWrites writes, string message, Exception reason)
    {
        batch.Remove(writes);
        // If the store also refused the end, no further end is written.
        var failure = GiveUp(writes.Run, message, reason, writes.Run.Failure is null ? GivenUp : null);
        foreach (var write in writes.Writes)
        {
            queue.Fail(write, failure);
        }
    }

    private RunStoreException GiveUp(ProducedRun run, string message, Exception reason, RunEnd? ending)
    {
        var failure = new RunStoreException(message, reason);
        recorder.OnAbandoned(run.Key, reason);
        queue.GiveUp(run, failure, ending);
        return failure;
    }

    private void FailAll(IEnumerable<QueuedWrite> writes)
    {
        foreach (var write in writes)
        {
            queue.Fail(write, WriteQueue.Closed());
        }
    }
}
