
using Perennial.AspNetCore.Stores;

namespace Perennial.AspNetCore.Runs;

/// <summary>
/// Writes events one behind the other without waiting for each to be recorded, so that a store which records many at once has many. Order and end
/// are exact: the store records in the order of the calls, and whoever ends a run waits for all of it. Used by one caller.
/// </summary>
internal sealed class WriteAhead(RunWriter writer)
{
    /// <summary>The most events on their way; then the next waits for the first of them.</summary>
    public const int MostEvents = 256;

    private const long MostBytes = 256 * 1024;

    private readonly Queue<(Task<AppendResult> Appending, RunEvent Item)> _underWay = new();
    private long _bytes;

    /// <summary>Completes when the event is on its way and the next may come.</summary>
    /// <exception cref="RunFailedException">The run hit a limit, with this event or one before it.</exception>
    /// <exception cref="RunStoreException">The store cannot be used. Whether this event and those before it are recorded is unknown.</exception>
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

    /// <summary>Completes when everything is recorded.</summary>
    public async ValueTask FinishAsync()
    {
        while (_underWay.Count > 0)
        {
            await FinishFirstAsync().ConfigureAwait(false);
        }
    }

    /// <summary>Sees to it that nobody misses the failures of what is on its way when the producer has failed already.</summary>
    public void Abandon()
    {
        while (_underWay.TryDequeue(out var left))
        {
            _ = left.Appending.ContinueWith(static failed => _ = failed.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
        }
    }

    /// <summary>The store has answered at once.</summary>
    private async ValueTask FinishAsync(AppendResult result, RunEvent item, CancellationToken cancellationToken)
    {
        var isHeldBack = result.Outcome == AppendOutcome.StoreFull && _underWay.Count > 0;
        await FinishAsync().ConfigureAwait(false);
        if (isHeldBack)
        {
            // A store whose queue is full takes the next event of a run when it has none of it; that is its way to hold a run back.
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
