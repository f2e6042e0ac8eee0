using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore;

/// <summary>A run that this process produces. Safe from any thread.</summary>
public sealed class StartedRun : StreamRun
{
    internal StartedRun(string id, string epoch, DateTimeOffset startedAt, Task<IRunLog> log, Func<Task<IRunLog>, Task<RunStatus>> produce)
        : base(id, epoch, log)
    {
        StartedAt = startedAt;
        Completion = produce(log);
    }

    internal DateTimeOffset StartedAt { get; }

    /// <summary>Stops it when nobody reads it; null where it goes on.</summary>
    internal UnreadWatch? Unread { get; set; }

    /// <summary>Completes when the producer has returned, with the status of the run. Never faults.</summary>
    /// <remarks>
    /// <see cref="RunStatus.Running"/> means that the host shut down first: the run was cut off and has no end.
    /// <see cref="RunStatus.Failed"/> is also the status of a run that the store did not take.
    /// </remarks>
    public Task<RunStatus> Completion { get; }
}
