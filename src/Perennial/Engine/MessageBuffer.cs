using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// The bounded queue between one writer (the connection loop) and one reader: what is accepted, who waits for what, and what is
/// announced. Where messages lie is <see cref="MessageStore"/>'s part.
/// </summary>
/// <remarks>
/// Any thread may pause, resume, end, wake or ask for the size. The writer appends a batch under one lock; the reader takes messages
/// without it, but in <see cref="BufferFullMode.DropOldest"/>, where the writer takes messages away from the reader's end.
/// </remarks>
internal sealed partial class MessageBuffer
{
    /// <summary>For <see cref="_lookAt"/>: nothing depends on the size.</summary>
    private const int NeverLook = -1;

    private readonly Lock _gate = new();
    private readonly BufferOptions _options;
    private readonly int _mark;
    private readonly MetricsRecorder _metrics;
    private readonly Action<object?> _noticed;
    private readonly object? _listener;
    private readonly MessageStore _store = new();
    private readonly ReaderWait _readerWait;
    private long _dropped;
    private bool _paused;
    private long _pausedSince;
    private long _aboveMarkSince;
    private StreamEnd? _end;
    private bool _discarded;
    private bool _held;                     // paused or discarded: the reader gets nothing
    private bool _aboveMark;
    private bool _writerWaits;
    private int _lookAt = NeverLook;        // the size at or below which the reader has something to do for others
    private BufferNotices? _notices;        // made by the first
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _resumed;
    private bool _wakeRequested;
    private PlacedId? _idBetween;           // the last id that came without a message for the reader; made by the first

    /// <param name="options">Capacity, mode and mark.</param>
    /// <param name="metrics">Told when a batch is handed over.</param>
    /// <param name="noticed">Called, outside the lock, when <see cref="TryTakeNotice"/> has something new.</param>
    /// <param name="listener">What it is called with.</param>
    public MessageBuffer(BufferOptions options, MetricsRecorder metrics, Action<object?> noticed, object? listener = null)
    {
        _options = options;
        _mark = options.MarkSize;
        _metrics = metrics;
        _noticed = noticed;
        _listener = listener;
        _readerWait = new ReaderWait(_gate);
    }

    /// <summary>Messages waiting.</summary>
    public int Size
    {
        get
        {
            lock (_gate)
            {
                return SizeLocked;
            }
        }
    }

    /// <summary>The timestamps of the pause and of the high-water mark, each <see langword="null"/> where it does not hold.</summary>
    public (long? PausedSince, long? AboveMarkSince) HeldUpSince
    {
        get
        {
            lock (_gate)
            {
                return (_paused ? _pausedSince : null, _aboveMark && SizeLocked >= _mark ? _aboveMarkSince : null);
            }
        }
    }

    /// <summary>Whether a message waits for the reader, who may ask, be it paused or not.</summary>
    public bool HasNext => _store.IsAtHand || Size > 0;

    /// <summary>Messages ever accepted: the place in the stream at which an event happens.</summary>
    public long Appended => _store.Appended;

    /// <summary>Messages ever read or dropped: the place of the next one. For the reader; elsewhere it may be out of date.</summary>
    public long Removed => _store.Removed;

    /// <summary>Messages dropped because the buffer was full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Whether the reader is past the given place: it read, or the buffer dropped, all messages before it.</summary>
    public bool IsPast(long place)
    {
        lock (_gate)
        {
            return _discarded || place <= _store.Removed;
        }
    }

    /// <summary>An id came after the messages accepted so far, without a message for the reader.</summary>
    public void PassId(ReadOnlySpan<byte> id)
    {
        lock (_gate)
        {
            (_idBetween ??= new PlacedId()).Set(id, _store.Appended);
        }
    }

    /// <summary>
    /// The id after which the stream goes on for somebody who has the messages that the reader took, and whether it is that of the last one.
    /// Costs the reader nothing: it is found in what the reader left behind.
    /// </summary>
    /// <param name="limit">Only messages before this place count.</param>
    /// <param name="start">Where the stream began.</param>
    /// <param name="isStartExact">Whether that is behind the last message that somebody else took.</param>
    public (string? Id, bool IsExact) IdAfterTaken(long limit, string? start, bool isStartExact)
    {
        lock (_gate)
        {
            var taken = Math.Min(limit, _store.Removed);
            var (id, place) = _store.LastId(taken);
            if (_idBetween is { } between && between.Place >= place && between.Place <= taken)
            {
                (id, place) = (between.Id, between.Place);
            }
            else if (place == 0)
            {
                return (start, isStartExact && taken == 0);
            }

            return (id, id is not null && place == taken);
        }
    }

    private int SizeLocked => _discarded ? 0 : _store.Count;

    private bool IsReadableLocked => !_held && SizeLocked > 0;

    private bool IsFullLocked => _options.FullMode == BufferFullMode.Block && SizeLocked >= _options.Capacity;

    /// <summary>
    /// Appends as the mode allows and returns how many messages are dealt with, appended or dropped. Fewer than given means that
    /// the buffer is full or hand-over is paused, and the writer must wait for room.
    /// </summary>
    public int Append(ReadOnlySpan<StreamMessage> messages, long receivedAt)
    {
        bool noticed;
        bool wake;
        int dealtWith;
        int drops;
        lock (_gate)
        {
            var (accepted, dropsNewest, dropsOldest) = AdmitLocked(messages.Length);
            var hasLostMark = _store.DropOldest(dropsOldest);
            var skipped = _options.FullMode == BufferFullMode.DropOldest ? dropsNewest : 0;
            _store.Append(messages.Slice(skipped, accepted), receivedAt);
            if (hasLostMark || MessageStore.FollowsGap(messages[..skipped]))
            {
                _store.MarkNext();
            }

            dealtWith = accepted + dropsNewest;
            drops = dropsNewest + dropsOldest;
            noticed = drops > 0 && UseNoticesLocked().AddDropped(drops);
            Volatile.Write(ref _dropped, _dropped + drops);
            noticed |= NoticeWayUpLocked(receivedAt);
            wake = _readerWait.TryClaim(IsReadableLocked);
        }

        if (drops > 0)
        {
            _metrics.MessagesDropped(drops);
        }

        if (noticed)
        {
            _noticed(_listener);
        }

        if (wake)
        {
            _readerWait.Complete(end: null);
        }

        return dealtWith;
    }

    /// <summary>Whether the size reached the mark, so that there is something new to announce.</summary>
    private bool NoticeWayUpLocked(long receivedAt)
    {
        if (_aboveMark || SizeLocked < _mark)
        {
            return false;
        }

        (_aboveMark, _aboveMarkSince) = (true, receivedAt);
        UpdateLookLocked();
        return UseNoticesLocked().AddCrossing(BufferNoticeKind.Backpressure, SizeLocked);
    }

    /// <summary>Takes the oldest notice not yet announced.</summary>
    public bool TryTakeNotice(out BufferNotice notice)
    {
        lock (_gate)
        {
            notice = default;
            return _notices?.TryTake(out notice) ?? false;
        }
    }

    /// <summary>Completes when there is room again and hand-over is not paused.</summary>
    public ValueTask WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_paused)
            {
                return WaitForResumeLocked(cancellationToken);
            }

            if (!IsFullLocked)
            {
                return ValueTask.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _writerWaits = true;
            UpdateLookLocked();
            return new ValueTask(_room.Task.WaitAsync(cancellationToken));
        }
    }

    /// <summary>Completes when hand-over is not paused.</summary>
    public ValueTask WaitWhilePausedAsync(CancellationToken cancellationToken)
    {
        if (!Volatile.Read(ref _held))
        {
            return ValueTask.CompletedTask;
        }

        lock (_gate)
        {
            return _paused ? WaitForResumeLocked(cancellationToken) : ValueTask.CompletedTask;
        }
    }

    /// <summary>How many of the coming messages are accepted, how many of them dropped, and how many old ones make room.</summary>
    private (int Accepted, int DropsNewest, int DropsOldest) AdmitLocked(int count)
    {
        if (_paused)
        {
            return (0, 0, 0);
        }

        var room = _options.FullMode == BufferFullMode.Unlimited ? int.MaxValue : Math.Max(0, _options.Capacity - SizeLocked);
        if (count <= room)
        {
            return (count, 0, 0);
        }

        switch (_options.FullMode)
        {
            case BufferFullMode.DropNewest:
                return (room, count - room, 0);
            case BufferFullMode.DropOldest:
                var accepted = Math.Min(count, _options.Capacity);
                return (accepted, count - accepted, accepted - room);
            default:
                return (room, 0, 0);
        }
    }

    private BufferNotices UseNoticesLocked() => _notices ??= new BufferNotices();

    private void UpdateLookLocked() => Volatile.Write(
        ref _lookAt,
        Math.Max(_aboveMark ? _mark - 1 : NeverLook, _writerWaits ? _options.Capacity / 2 : NeverLook));

    private ValueTask WaitForResumeLocked(CancellationToken cancellationToken)
    {
        _resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new ValueTask(_resumed.Task.WaitAsync(cancellationToken));
    }

    private void SetAndWake(Action<MessageBuffer> change, bool mayWakeForNothing)
    {
        bool wake;
        StreamEnd? end;
        lock (_gate)
        {
            change(this);
            end = EndForReaderLocked;
            wake = _readerWait.TryClaim(mayWakeForNothing || end is not null || IsReadableLocked);
        }

        if (wake)
        {
            _readerWait.Complete(end);
        }
    }
}
