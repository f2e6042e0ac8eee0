using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>The parts of a store that the runs on this node use.</summary>
internal interface INodeStore
{
    WriteQueue Writes { get; }

    WakeUps WakeUps { get; }

    INodeInbox Inbox { get; }

    /// <summary>Ends a run that this node does not produce, unless it has ended. Returns its final status.</summary>
    /// <exception cref="RunStoreException">The database cannot be reached, or the run is no longer kept.</exception>
    Task<RunStatus> EndAsync(RunKey key, RunEnd ending, CancellationToken cancellationToken);
}

/// <summary>Messages to producers. Each is recorded once, even if it is sent several times. Safe from any thread.</summary>
internal interface INodeInbox
{
    /// <summary>Records a message, unless it is a repeat or is refused.</summary>
    Task<ReceiveResult> ReceiveAsync(RunKey key, RunMessage message, CancellationToken cancellationToken);

    /// <summary>Returns the state of a sender, and forgets refusals of numbers below <paramref name="firstOpen"/>.</summary>
    Task<SenderState> GetSenderAsync(RunKey key, string sender, long firstOpen, CancellationToken cancellationToken);

    /// <summary>Returns messages after a position, and forgets those up to it.</summary>
    Task<IReadOnlyList<RunMessage>> ReadAsync(RunKey key, long after, CancellationToken cancellationToken);
}
