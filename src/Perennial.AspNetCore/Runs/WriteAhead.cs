
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>
/// Writes events one after the other without waiting until each is recorded, so that a store that records many at once gets many. Order and
/// end are exact: the store records in the order of the calls, and the end of a run waits for all events. Used by one caller.
/// </summary>
internal sealed class WriteAhead(RunWriter writer)
{
    /// <summary>The most events under way. A further event waits for the first of them.</summary>
    public const int MostEvents = 256;

    private const long MostBytes = 256 * 1024;

    private readonly Queue<(Task<AppendResult> Appending, RunEvent Item)> _underWay = new();
    private long _bytes;

    /// <summary>Passes an event to the store, and waits until the next one may follow.</summary>
    /// <exception cref="RunFailedException">The run reached a limit, with this event or an earlier one.</exception>
    /// <exception cref="RunStoreException">
    /// The store cannot be used. Whether this event and earlier ones are recorded is unknown.
    /// </exception>
    /// <exception cref="OperationCanceledException">The run was stopped, or the token was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The run has ended otherwise.</exception>
    public async ValueTask WriteAsync(RunEvent item, CancellationToken cancellationToken)
    {
        while (_underWay.TryPeek(out var first) && (first.Appending.IsCompleted || _underWay.Count >= MostEvents || _bytes + item.Size > MostBytes))
        {
            await FinishFirstAsync().ConfigureAwait(false);
        }

        var appending = writer.BeginAppend(item, cancellationToken);
        if (appending.IsCompletedSuccessfully)
        {
            await FinishAsync(appending.Result, item, cancellationToken).ConfigureAwait(false);
            return;
        }

        _underWay.Enqueue((appending.AsTask(), item));
        _bytes += item.Size;
    }

    /// <summary>Waits until all events are recorded.</summary>
    public async ValueTask FinishAsync()
    {
        while (_underWay.Count > 0)
        {
            await FinishFirstAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Observes the failures of events under way after the producer has failed, so that no exception stays unobserved.</summary>
    public void Abandon()
    {
        while (_underWay.TryDequeue(out var left))
        {
            _ = left.Appending.ContinueWith(
                static failed => _ = failed.Exception,
                CancellationToken.None,
                TaskContinuationOptions.OnlyOnFaulted,
                TaskScheduler.Default);
        }
    }

    /// <summary>Finishes an event that the store answered at once.</summary>
    private async ValueTask FinishAsync(AppendResult result, RunEvent item, CancellationToken cancellationToken)
    {
        var isHeldBack = result.Outcome == AppendOutcome.StoreFull && _underWay.Count > 0;
        await FinishAsync().ConfigureAwait(false);
        if (isHeldBack)
        {
            // A store with a full queue accepts the next event of a run only when it has no other event of that run. This slows the run
            // down.
            writer.TakeBack(item);
            result = await writer.BeginAppend(item, cancellationToken).ConfigureAwait(false);
        }

        await writer.FinishAsync(new ValueTask<AppendResult>(result), item.Data.Length).ConfigureAwait(false);
    }

    private async ValueTask FinishFirstAsync()
    {
        var (appending, item) = _underWay.Dequeue();
        _bytes -= item.Size;
        await writer.FinishAsync(new ValueTask<AppendResult>(appending), item.Data.Length).ConfigureAwait(false);
    }
}
