using System.Runtime.CompilerServices;
using Perennial.AspNetCore.Delivery;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore;

/// <summary>Reads runs inside the process, without HTTP.</summary>
public static class StreamRunReading
{
    private const int MaxBatchBytes = 64 * 1024;

    /// <summary>Reads the events of a run that any node produces, from after an id to the end, each once and in order.</summary>
    /// <param name="run">The run.</param>
    /// <param name="lastEventId">The id of the last event that the caller has (<see cref="RunRecord.Id"/>); null or empty for all
    /// events.</param>
    /// <param name="cancellationToken">Ends the reading. The run goes on.</param>
    /// <returns>
    /// The events, without the record of the end. The sequence ends when the run has completed or was stopped;
    /// <see cref="StreamRun.GetStatusAsync"/> tells which.
    /// </returns>
    /// <exception cref="RunFailedException">While reading: the run failed. It has the message and the code that every reader
    /// gets.</exception>
    /// <exception cref="InvalidOperationException">
    /// While reading: the run cannot be resumed after the id, because the id is not of this run or the store no longer keeps what follows;
    /// or the host stopped, so the run has no end.
    /// </exception>
    /// <exception cref="RunStoreException">While reading: the store cannot be used.</exception>
    /// <remarks>The caller counts as a reader for <see cref="RunOptions.StopWhenUnread"/>, and not for the limits on readers.</remarks>
    public static IAsyncEnumerable<RunRecord> ReadAsync(
        this StreamRun run, string? lastEventId = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(run);
        return ReadEventsAsync(run, lastEventId, cancellationToken);
    }

    private static async IAsyncEnumerable<RunRecord> ReadEventsAsync(
        StreamRun run, string? lastEventId, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var log = run.Events;
        var cursor = CursorAfter(lastEventId, log.Epoch, await log.GetStateAsync(cancellationToken).ConfigureAwait(false));
        var news = new RunSignal();
        using var presence = (run as StartedRun)?.Unread?.Enter();
        using var subscription = log.Subscribe(RunNews.Records, news);
        await using var leaving = cancellationToken.UnsafeRegister(static news => ((RunSignal)news!).Set(), news).ConfigureAwait(false);
        var producing = (run as StartedRun)?.Completion;
        _ = producing?.ContinueWith(
            _ => news.Set(), CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        while (true)
        {
            var isProduced = producing is not { IsCompleted: true };       // read before the records, so that no record is overlooked
            var slice = await log.ReadAsync(cursor, MaxBatchBytes, cancellationToken).ConfigureAwait(false);
            for (var i = 0; i < slice.Records.Length; i++)
            {
                var (before, record) = (cursor, slice.Records.Span[i]);
                cursor = record.Sequence;
                if (IsEvent(record, before))
                {
                    yield return record;
                }
            }

            if (cursor < slice.State.Tail)
            {
                continue;
            }

            if (HasEnded(slice.State.Status, isProduced))
            {
                yield break;
            }

            await news.WaitAsync().ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
        }
    }

    private static bool HasEnded(RunStatus status, bool isProduced)
    {
        var isRunning = status == RunStatus.Running;
        return isRunning && !isProduced ? throw new InvalidOperationException("The host stopped before the run ended.") : !isRunning;
    }

    private static long CursorAfter(string? lastEventId, string epoch, RunState state) =>
        ReaderPlace.After(epoch, state, lastEventId) is { Gap: null } place
            ? place.Cursor
            : throw new InvalidOperationException(
                "The run cannot be resumed after this id: it is not of this run, or the events that follow it are no longer kept.");

    /// <summary>Whether a record that follows the cursor is an event, and not the end.</summary>
    private static bool IsEvent(RunRecord record, long cursor)
    {
        if (record.Sequence != cursor + 1)
        {
            throw new InvalidOperationException("The run cannot be read on: the next events are no longer kept.");
        }

        return string.Equals(record.Content.EventType, EventNames.Failed, StringComparison.Ordinal)
            ? throw FailureOf(record)
            : !EventNames.IsReserved(record.Content.EventType);
    }

    private static RunFailedException FailureOf(RunRecord end)
    {
        var error = ServerError.FromJson(end.Content.Data);
        return new RunFailedException(error.Message ?? RunFailedException.DefaultMessage, error.Code ?? RunFailedException.DefaultCode);
    }
}
