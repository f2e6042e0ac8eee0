namespace Perennial.AspNetCore;

/// <summary>
/// The numbered events of one run, in memory: appended once, encoded once, read by anyone from anywhere, closed by a last record.
/// </summary>
/// <remarks>Safe from any thread. Sequences start at 1 and have no holes. What was read never changes.</remarks>
internal sealed class RunLog(string epoch, long maxBytes)
{
    private readonly Lock _gate = new();
    private byte[][] _frames = new byte[16][];    // the first _count are published and never written again, so readers share the array
    private int _count;
    private long _bytes;
    private RunStatus _status = RunStatus.Running;
    private TaskCompletionSource? _appended;      // null while nobody waits

    public string Epoch => epoch;

    public long MaxBytes => maxBytes;

    /// <summary>Status and newest event, as they were at one moment.</summary>
    public (RunStatus Status, EventId Tail) State
    {
        get
        {
            lock (_gate)
                return (_status, new EventId(epoch, _count));
        }
    }

    /// <summary>Records an event and then wakes the readers. Never waits for any of them.</summary>
    public AppendOutcome TryAppend(string? eventType, ReadOnlySpan<byte> data)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            if (_status != RunStatus.Running)
                return AppendOutcome.Closed;
            var frame = EncodeLocked(eventType, data);
            if (_bytes + frame.Length > maxBytes)
                return AppendOutcome.Full;
            waiting = AddLocked(frame);
        }

        waiting?.SetResult();
        return AppendOutcome.Appended;
    }

    /// <summary>Records the end. The first end wins; false means that there was one already. Fits even into a full log.</summary>
    public bool TryClose(RunEnd end)
    {
        TaskCompletionSource? waiting;
        lock (_gate)
        {
            if (_status != RunStatus.Running)
                return false;
            waiting = AddLocked(EncodeLocked(end.EventType, end.Data.Span));
            _status = end.Status;
        }

        waiting?.SetResult();
        return true;
    }

    /// <summary>Everything after a sequence, without copying. The sequence must not be beyond the tail.</summary>
    public LogSlice ReadAfter(long sequence)
    {
        lock (_gate)
            return new LogSlice(_frames.AsMemory((int)sequence, _count - (int)sequence), _status != RunStatus.Running);
    }

    /// <summary>Completes once there is something to read after a sequence; at once when there already is.</summary>
    public Task WaitAfter(long sequence)
    {
        lock (_gate)
        {
            if (_count > sequence)
                return Task.CompletedTask;
            _appended ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _appended.Task;
        }
    }

    private byte[] EncodeLocked(string? eventType, ReadOnlySpan<byte> data) =>
        SseFrame.Encode(new EventId(epoch, _count + 1), eventType, data);

    private TaskCompletionSource? AddLocked(byte[] frame)
    {
        if (_count == _frames.Length)
            Array.Resize(ref _frames, _count * 2);
        _frames[_count++] = frame;
        _bytes += frame.Length;

        var waiting = _appended;
        _appended = null;
        return waiting;
    }
}

/// <summary>Part of a log up to its tail, one encoded frame per event; <paramref name="IsClosed"/>: its last frame is the end of the run.</summary>
internal readonly record struct LogSlice(ReadOnlyMemory<byte[]> Frames, bool IsClosed);

internal enum AppendOutcome
{
    Appended,
    Full,
    Closed,
}
