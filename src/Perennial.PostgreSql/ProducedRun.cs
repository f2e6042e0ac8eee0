using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.PostgreSql;

/// <summary>What the writer of a node knows of a run that this node produces.</summary>
internal sealed class ProducedRun(RunView view)
{
    public RunView View => view;

    public RunKey Key => view.Key;

    /// <summary>The newest sequence in the database. Written by the writer alone.</summary>
    public long Tail { get; set; }

    /// <summary>What was accepted, as MaxBytesPerRun counts. Under the queue's lock, as all that follows.</summary>
    public long Bytes { get; set; }

    /// <summary>How much of it waits to be written.</summary>
    public long Waiting { get; set; }

    /// <summary>The end that is on its way, after which nothing more is taken.</summary>
    public QueuedWrite? Ending { get; set; }

    /// <summary>Why nothing more is taken, where the database said so.</summary>
    public AppendOutcome? Refusal { get; set; }

    /// <summary>Why nothing more is taken, where writes were given up: a later one would leave a hole.</summary>
    public RunStoreException? Failure { get; set; }
}

/// <summary>An event or an end on its way to the database, and the wait for it.</summary>
internal sealed class QueuedWrite(ProducedRun run, RunEvent content, RunStatus status, long? enqueuedAt)
    : TaskCompletionSource<WriteResult>(TaskCreationOptions.RunContinuationsAsynchronously)
{
    public ProducedRun Run => run;

    public RunEvent Content => content;

    /// <summary>Running for an event; how the run is to end for an end.</summary>
    public RunStatus Status => status;

    public bool IsEnd => status != RunStatus.Running;

    /// <summary>When it was handed in; null for the end of a run that was given up, which nobody waits for and which is tried for ever.</summary>
    public long? EnqueuedAt => enqueuedAt;
}

/// <summary>What became of a write.</summary>
internal readonly record struct WriteResult(AppendOutcome Outcome, long Sequence, RunStatus Status);
