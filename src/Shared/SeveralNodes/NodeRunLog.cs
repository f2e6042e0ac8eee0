using System.Text;
using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;
using Perennial.GroupCommit;

namespace Perennial.SeveralNodes;

/// <summary>One run, seen from this node. Appends are possible only for its producer.</summary>
internal sealed class NodeRunLog(RunView view, INodeStore store, ProducedRun? produced) : RunLog
{
    public override string Id => view.Key.Id;

    public override string Epoch => view.Key.Epoch;

    public override string? Dialect => view.Key.Dialect;

    public override bool IsFenced => produced?.IsFenced ?? false;

    public override RunDescription Description => view.Key.Description;

    /// <summary>
    /// Returns the state. If the database has lost the run, its producer must stop: for it the run has failed, with an end that no reader
    /// can read, so that no reader takes it for whole.
    /// </summary>
    public override async ValueTask<RunState> GetStateAsync(CancellationToken cancellationToken)
    {
        if (await view.FindStateAsync(cancellationToken) is { } state)
        {
            return state;
        }

        return produced is null
            ? throw new RunStoreException("The run is no longer kept.")
            : new RunState { Status = RunStatus.Failed, Tail = view.SeenTail + 1, Oldest = 1 };
    }

    public override ValueTask<AppendResult> AppendAsync(RunEvent item, CancellationToken cancellationToken)
    {
        if (produced is null)
        {
            return ValueTask.FromResult(new AppendResult { Outcome = AppendOutcome.Fenced });
        }

        return store.Writes.TryAppend(produced, WithStorableType(item), out var write, out var refusal)
            ? AwaitAsync(write, cancellationToken)
            : ValueTask.FromResult(new AppendResult { Outcome = refusal });

        static async ValueTask<AppendResult> AwaitAsync(QueuedWrite write, CancellationToken cancellationToken)
        {
            var result = await write.Task.WaitAsync(cancellationToken);
            return new AppendResult { Outcome = result.Outcome, Sequence = result.Sequence };
        }
    }

    public override async ValueTask<RunStatus> CloseAsync(RunEnd ending, CancellationToken cancellationToken)
    {
        // Anybody may stop a run, also on a node that no longer produces it.
        if (produced is not null && !(produced.IsFenced && ending.Status == RunStatus.Stopped))
        {
            return (await store.Writes.End(produced, ending).Task.WaitAsync(cancellationToken)).Status;
        }

        var status = await store.EndAsync(view.Key, ending, cancellationToken);
        store.WakeUps.AddRecords(view.Key.Run);
        view.MarkStale();
        return status;
    }

    public override ValueTask<RunSlice> ReadAsync(long after, int maxBytes, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        return view.ReadAsync(after, Math.Max(1, maxBytes), cancellationToken);
    }

    public override IDisposable Subscribe(RunNews news, RunSignal signal) => view.Subscribe(news, signal);

    public override async ValueTask<ReceiveResult> ReceiveAsync(RunMessage message, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(message);
        var result = await store.Inbox.ReceiveAsync(view.Key, message, cancellationToken);
        if (result.Outcome == ReceiveOutcome.Accepted && message.Refusal is null)
        {
            store.WakeUps.AddMessage(view.Key.Run);
            view.OnMessage();
        }

        return result;
    }

    public override async ValueTask<SenderState> GetSenderAsync(string sender, long firstOpen, CancellationToken cancellationToken) =>
        await store.Inbox.GetSenderAsync(view.Key, sender, firstOpen, cancellationToken);

    public override async ValueTask<IReadOnlyList<RunMessage>> ReadMessagesAsync(long after, CancellationToken cancellationToken) =>
        IsFenced ? [] : await store.Inbox.ReadAsync(produced?.Key ?? view.Key, after, cancellationToken);

    /// <summary>
    /// Checks an event type. It must not contain NUL, which not every database can store. Half a surrogate pair cannot be encoded.
    /// </summary>
    private static RunEvent WithStorableType(RunEvent item)
    {
        if (item.EventType is not { } type)
        {
            return item;
        }

        if (type.Contains('\0'))
        {
            throw new ArgumentException("An event type must not contain NUL.", nameof(item));
        }

        return type.AsSpan().IndexOfAnyInRange('\ud800', '\udfff') < 0
            ? item
            : item with { EventType = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(type)) };
    }
}
