using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>The writer's state of a run that this node produces.</summary>
internal sealed class ProducedRun(RunView view)
{
    public RunView View => view;

    public RunKey Key => view.Key;

    /// <summary>The newest sequence in the database. Only the writer changes it.</summary>
    public long Tail { get; set; }

    /// <summary>The accepted bytes, as MaxBytesPerRun counts. Used under the queue's lock, like all members below.</summary>
    public long Bytes { get; set; }

    /// <summary>The bytes that wait to be written.</summary>
    public long Waiting { get; set; }

    /// <summary>The end under way. After it no event is accepted.</summary>
    public QueuedWrite? Ending { get; set; }

    /// <summary>The reason of the database for accepting no more events; otherwise null.</summary>
    public AppendOutcome? Refusal { get; set; }

    /// <summary>
    /// The reason why writes were abandoned, after which no event is accepted, because it would leave a hole; otherwise null.
    /// </summary>
    public RunStoreException? Failure { get; set; }
}

/// <summary>An event or an end under way to the database, and the task of its caller.</summary>
internal sealed class QueuedWrite(ProducedRun run, RunEvent content, RunStatus status, long? enqueuedAt)
    : TaskCompletionSource<WriteResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public ProducedRun Run => run;

    public RunEvent Content => content;

    /// <summary>Running for an event; the final status for an end.</summary>
    public RunStatus Status => status;

    public bool IsEnd => status != RunStatus.Running;

    /// <summary>
    /// When the write was queued; null for the end of an abandoned run, which has no waiting caller and is tried without a limit.
    /// </summary>
    public long? EnqueuedAt => enqueuedAt;
}

/// <summary>The outcome of a write.</summary>
internal readonly record struct WriteResult(AppendOutcome Outcome, long Sequence, RunStatus Status);
