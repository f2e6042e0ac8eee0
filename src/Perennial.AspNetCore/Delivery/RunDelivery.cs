using System.Diagnostics;
using Perennial.AspNetCore.Diagnostics;
using Perennial.AspNetCore.Stores;
using Perennial.Wire;

namespace Perennial.AspNetCore.Delivery;

/// <summary>The loop of one reader, whatever its form: read after the cursor, write, flush, wait, and show life in silence.</summary>
/// <remarks>
/// It holds a cursor and no events: a slow reader costs nobody anything. While events come it takes no timer, no task and no memory for
/// them; the one timer looks, when it is due, at how long the silence has been.
/// </remarks>
/// <param name="log">What to send.</param>
/// <param name="sink">Where to.</param>
/// <param name="heartbeat">How long it may be silent.</param>
/// <param name="time">The clock.</param>
/// <param name="news">Wakes the loop; given where the sink has something to say beside the stream.</param>
internal sealed class RunDelivery(RunLog log, IRunSink sink, TimeSpan heartbeat, TimeProvider time, RunSignal? news = null)
{
    private const int MaxBatchBytes = 64 * 1024;

    private readonly RunSignal _news = news ?? new();
    private long _cursor;
    private long _lastWrite;
    private int _isTimerSpent;

    /// <summary>Sends the run from a place to its end. Returns how it ended when its last record is flushed.</summary>
    /// <param name="place">Where to begin.</param>
    /// <param name="leave">Cancelled when the reader is gone or has to go.</param>
    /// <exception cref="OperationCanceledException">The reader left before the end.</exception>
    public async Task<RunStatus> SendAsync(ReaderPlace place, CancellationToken leave)
    {
        _cursor = place.Cursor;
        if (place.Gap is { } requested)
        {
            sink.Write(ControlEvent.Gap(requested, new RunEventId(log.Epoch, place.Cursor + 1)));
        }

        await FlushAsync(leave);    // the head of the response goes out before there is any event

        using var subscription = log.Subscribe(RunNews.Records, _news);
        await using var leaving = leave.UnsafeRegister(static news => ((RunSignal)news!).Set(), _news);
        await using var timer = time.CreateTimer(static loop => ((RunDelivery)loop!).OnTimer(), this, heartbeat, Timeout.InfiniteTimeSpan);
        return await DeliverAsync(timer, leave);
    }

    // With thousands of readers the memory they touch is what an event costs, so this loop keeps little of its own while it waits.
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

            await _news.WaitAsync();    // there is no need to look again before: what was recorded since has set the signal
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
