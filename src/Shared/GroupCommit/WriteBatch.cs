using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>Writes of many runs that are recorded together. For each run all of them are recorded, or none.</summary>
internal sealed class WriteBatch
{
    private readonly List<RunWrites> _runs = [];

    public WriteBatch(IEnumerable<QueuedWrite> writes)
    {
        var byRun = new Dictionary<ProducedRun, RunWrites>();
        foreach (var write in writes)
        {
            if (!byRun.TryGetValue(write.Run, out var group))
            {
                _runs.Add(byRun[write.Run] = group = new RunWrites(write.Run));
            }

            group.Writes.Add(write);
        }
    }

    /// <summary>The remaining writes, for each run in the order of the calls.</summary>
    public IReadOnlyList<RunWrites> Runs => _runs;

    /// <summary>Removes an abandoned run.</summary>
    public void Remove(RunWrites run) => _runs.Remove(run);
}

/// <summary>The writes of one run in a batch.</summary>
internal sealed class RunWrites(ProducedRun run)
{
    public ProducedRun Run => run;

    public RunKey Key => run.Key;

    public List<QueuedWrite> Writes { get; } = [];

    /// <summary>The expected tail of the run. The end of an abandoned run accepts any tail.</summary>
    public long? Base { get; } = run.Failure is null ? run.Tail : null;

    /// <summary>The status of the run after these writes.</summary>
    public RunStatus Status => Writes[^1].Status;
}

/// <summary>The outcome of the writes of one run: all its events are recorded, or none.</summary>
/// <param name="Refusal">The reason why none is recorded; null if all are.</param>
/// <param name="Base">The tail before them.</param>
/// <param name="Status">The current status of the run.</param>
internal readonly record struct RunOutcome(AppendOutcome? Refusal, long Base, RunStatus Status)
{
    public static RunOutcome Recorded(long start, RunStatus status) => new(Refusal: null, start, status);

    public static RunOutcome Refused(AppendOutcome refusal, RunStatus status) => new(refusal, 0, status);

    /// <summary>
    /// Determines the outcome of writes that changed nothing, from the current state of the run. If its tail has moved by exactly the
    /// events of these writes, an earlier attempt has recorded them.
    /// </summary>
    public static RunOutcome Explain(RunWrites run, RunStatus status, long tail)
    {
        var events = run.Writes.Count(write => !write.IsEnd);
        var recorded = status == RunStatus.Running ? tail : tail - 1;
        if (events > 0 && recorded == run.Base + events)
        {
            return Recorded(run.Base!.Value, status);
        }

        return Refused(status == RunStatus.Running ? AppendOutcome.Fenced : AppendOutcome.Closed, status);
    }
}
