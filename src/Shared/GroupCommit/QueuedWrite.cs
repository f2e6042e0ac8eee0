using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>An event or an end under way to the store, and the task of its caller.</summary>
internal sealed class QueuedWrite(ProducedRun run, RunEvent content, RunStatus status, long? enqueuedAt)
    : TaskCompletionSource<WriteResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public ProducedRun Run => run;

    public RunEvent Content => content;

    /// <summary>Running for an event; the final status for an end.</summary>
    public RunStatus Status => status;

    public bool IsEnd => status != RunStatus.Running;

    /// <summary>When the write was queued; null for the end of an abandoned run, which is tried without a limit.</summary>
    public long? EnqueuedAt => enqueuedAt;
}

/// <summary>The outcome of a write.</summary>
internal readonly record struct WriteResult(AppendOutcome Outcome, long Sequence, RunStatus Status);
