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

    /// <summary>Runs until the token is cancelled. Writes that wait then fail.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        await using var waking = stop.UnsafeRegister(static queue => ((WriteQueue)queue!).Wake(), queue);
        try
        {
            while (!stop.IsCancellationRequested)
            {
                for (var writes = queue.Take(); writes.Count > 0; writes = queue.Take())
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
            await recorder.DisposeAsync();
        }
    }

    private async Task WriteAsync(WriteBatch batch, CancellationToken stop)
    {
        while (batch.Runs.Count > 0)
        {
            try
            {
                foreach (var (run, outcome) in await recorder.RecordAsync(batch, stop))
                {
                    Settle(run, outcome);
                }

                return;
            }
            catch (Exception) when (stop.IsCancellationRequested)
            {
                FailAll(batch);
                throw new OperationCanceledException(stop);
            }
            catch (Exception e) when (recorder.IsTransient(e))
            {
                await recorder.OnFailedAsync(e);
                GiveUpOverdue(batch, e);
                await Task.Delay(RetryDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception e)
            {
                await recorder.OnFailedAsync(e);
                await SingleOutAsync(batch, e, stop);
                return;
            }
        }
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

    private void FailAll(WriteBatch batch)
    {
        foreach (var write in batch.Runs.SelectMany(run => run.Writes))
        {
            queue.Fail(write, WriteQueue.Closed());
        }
    }
}
