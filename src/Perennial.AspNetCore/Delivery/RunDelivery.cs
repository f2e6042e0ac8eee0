using System.Diagnostics;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Delivery;

/// <summary>The loop of one reader in any form: read after the cursor, write, flush, wait, and send heartbeats.</summary>
/// <remarks>
/// It holds a cursor and no events, so a slow reader does not delay others. While events come it uses no timer, no task and no memory for
/// them. Its only timer checks, when it fires, how long the silence has lasted.
/// </remarks>
/// <param name="log">The run.</param>
/// <param name="sink">The reader's connection.</param>
/// <param name="heartbeat">The longest silence.</param>
/// <param name="time">The clock.</param>
/// <param name="news">Wakes the loop; set if the sink sends messages about the connection.</param>
internal sealed class RunDelivery(RunLog log, IRunSink sink, TimeSpan heartbeat, TimeProvider time, RunSignal? news = null)
{
    private const int MaxBatchBytes = 64 * 1024;

    private readonly RunSignal _news = news ?? new();
    private long _cursor;
    private long _lastWrite;
    private int _isTimerSpent;

    /// <summary>Sends the run from a place to its end. Returns the final status when the last record is flushed.</summary>
    /// <param name="place">The place to begin.</param>
    /// <param name="leave">Cancelled when the reader is gone or must be disconnected.</param>
    /// <exception cref="OperationCanceledException">The reader left before the end.</exception>
    public async Task<RunStatus> SendAsync(ReaderPlace place, CancellationToken leave)
    {
        _cursor = place.Cursor;
        if (place.Gap is { } requested)
        {
            sink.Write(ControlEvent.Gap(requested, new RunEventId(log.Epoch, place.Cursor + 1)));
        }

        await FlushAsync(leave);    // sends the head of the response before the first event

        using var subscription = log.Subscribe(RunNews.Records, _news);
        await using var leaving = leave.UnsafeRegister(static news => ((RunSignal)news!).Set(), _news);
        await using var timer = time.CreateTimer(static loop => ((RunDelivery)loop!).OnTimer(), this, heartbeat, Timeout.InfiniteTimeSpan);
        return await DeliverAsync(timer, leave);
    }

    // With thousands of readers the cost of an event is the memory that it touches, so this loop keeps little state while it waits.
    private async Task<RunStatus> DeliverAsync(ITimer timer, CancellationToken leave)
    {
        var hasWaited = false;
        while (true)
        {
            var slice = await log.ReadAsync(_cursor, MaxBatchBytes, leave);
            var waitedFor = hasWaited && !slice.Records.IsEmpty ? slice.Records.Span[0].CreatedAt : 0;
            var hasNews = sink.WriteAside() | Write(slice.Records.Span);
            var isAtTail = _cursor >= slice.State.Tail;
            var isEnd = isAtTail && slice.State.Status != RunStatus.Running;
            hasWaited = isAtTail || slice.Records.IsEmpty;
            if (hasNews)
            {
                await FlushAsync(leave);
            }

            if (waitedFor != 0)
            {
                PerennialServerTelemetry.DeliveryLatency.Record(Stopwatch.GetElapsedTime(waitedFor).TotalSeconds);
            }

            if (isEnd)
            {
                return slice.State.Status;
            }

            if (!hasWaited)
            {
                continue;
            }

            await _news.WaitAsync();    // no check before the wait: later records have set the signal
            leave.ThrowIfCancellationRequested();
            if (Volatile.Read(ref _isTimerSpent) == 1)
            {
                await ShowLifeAsync(timer, leave);
            }
        }
    }

    private bool Write(ReadOnlySpan<RunRecord> records)
    {
        if (records.IsEmpty)
        {
            return false;
        }

        if (records[0].Sequence != _cursor + 1)
        {
            sink.Write(ControlEvent.Gap(new RunEventId(log.Epoch, _cursor).ToString(), new RunEventId(log.Epoch, records[0].Sequence)));
        }

        foreach (var record in records)
        {
            sink.Write(record);
        }

        _cursor = records[^1].Sequence;
        return true;
    }

    private async ValueTask FlushAsync(CancellationToken leave)
    {
        _lastWrite = time.GetTimestamp();
        await sink.FlushAsync(leave);
        leave.ThrowIfCancellationRequested();
    }

    private async ValueTask ShowLifeAsync(ITimer timer, CancellationToken leave)
    {
        Volatile.Write(ref _isTimerSpent, 0);
        var rest = heartbeat - time.GetElapsedTime(_lastWrite);
        if (rest <= TimeSpan.Zero)
        {
            sink.WriteHeartbeat();
            await FlushAsync(leave);
            rest = heartbeat;
        }

        timer.Change(rest, Timeout.InfiniteTimeSpan);
    }

    private void OnTimer()
    {
        Interlocked.Exchange(ref _isTimerSpent, 1);
        _news.Set();
    }
}
