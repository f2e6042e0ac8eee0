
using Perennial.AspNetCore.Runs;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>
/// A run that this process produces. It is recorded, so every node that shares the store finds it by its id. Safe from any thread.
/// </summary>
public sealed class StartedRun : StreamRun
{
    internal StartedRun(RunLog log, DateTimeOffset startedAt, Task<RunStatus> completion)
        : base(log)
    {
        StartedAt = startedAt;
        Completion = completion;
    }

    internal DateTimeOffset StartedAt { get; }

    /// <summary>Stops the run when it has no reader; null if the run goes on without readers.</summary>
    internal UnreadWatch? Unread { get; set; }

    /// <summary>Gets a task that completes with the status of the run when the producer has returned. Never faults.</summary>
    /// <remarks>
    /// <see cref="RunStatus.Running"/> means that the host shut down first, so the run has no end, or that another producer
    /// has taken the run over.
    /// </remarks>
    public Task<RunStatus> Completion { get; }
}
