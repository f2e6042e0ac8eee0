using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>The writer's state of a run that this process produces.</summary>
internal abstract class ProducedRun(RunKey key)
{
    private volatile bool _isFenced;

    public RunKey Key => key;

    /// <summary>The newest recorded sequence. Only the writer changes it.</summary>
    public long Tail { get; set; }

    /// <summary>The accepted bytes, as MaxBytesPerRun counts. Used under the queue's lock, like all members below.</summary>
    public long Bytes { get; set; }

    /// <summary>The bytes that wait to be written.</summary>
    public long Waiting { get; set; }

    /// <summary>The end under way. After it no event is accepted.</summary>
    public QueuedWrite? Ending { get; set; }

    /// <summary>The reason of the store for accepting no more events; otherwise null.</summary>
    public AppendOutcome? Refusal
    {
        get;
        set
        {
            field = value;
            _isFenced |= value == AppendOutcome.Fenced;
        }
    }

    /// <summary>Whether another producer has taken the run over. May be read without the lock.</summary>
    public bool IsFenced => _isFenced;

    /// <summary>Why writes were abandoned, after which an event would leave a hole and is not accepted; otherwise null.</summary>
    public RunStoreException? Failure { get; set; }

    /// <summary>Shows recorded events to the readers. Called before the producer learns that they are recorded.</summary>
    public abstract void Publish(ReadOnlySpan<RunRecord> records, RunState state);

    /// <summary>Called if the store has another state of the run than the writer expected: another node has ended it.</summary>
    public virtual void OnEndedElsewhere()
    {
    }
}
