using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// The bounded queue between one writer (the connection loop) and one reader. It decides which messages are accepted, who waits, and what
/// is announced. <see cref="MessageStore"/> stores the messages.
/// </summary>
/// <remarks>
/// Any thread may pause, resume, end, wake or read the size. The writer appends a batch under one lock. The reader takes messages without
/// the lock, except in <see cref="BufferFullMode.DropOldest"/>, where the writer removes messages from the reader's end.
/// </remarks>
internal sealed partial class MessageBuffer
{
    /// <summary>The value of <see cref="_lookAt"/> at which the reader never has to act.</summary>
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
    private int _lookAt = NeverLook;        // the size at or below which the reader must announce or wake the writer
    private BufferNotices? _notices;        // created by the first notice
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _resumed;
    private bool _wakeRequested;
    private PlacedId? _idBetween;           // the last id that came without a message for the reader; created by the first

    /// <param name="options">The capacity, the mode and the mark.</param>
    /// <param name="metrics">Records each batch that the reader receives.</param>
    /// <param name="noticed">Called, outside the lock, when <see cref="TryTakeNotice"/> has something new.</param>
    /// <param name="listener">The argument of <paramref name="noticed"/>.</param>
    public MessageBuffer(BufferOptions options, MetricsRecorder metrics, Action<object?> noticed, object? listener = null)
    {
        _options = options;
        _mark = options.MarkSize;
        _metrics = metrics;
        _noticed = noticed;
        _listener = listener;
        _readerWait = new ReaderWait(_gate);
    }

    /// <summary>The number of waiting messages.</summary>
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

    /// <summary>
    /// The timestamps at which the buffer was paused and at which it reached the high-water mark. Each is <see langword="null"/> if it does
    /// not apply now.
    /// </summary>
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

    /// <summary>Whether a message waits for the reader, even if the buffer is paused. For the reader only.</summary>
    public bool HasNext => _store.IsAtHand || Size > 0;

    /// <summary>The number of messages ever accepted. It is the position of an event in the stream.</summary>
    public long Appended => _store.Appended;

    /// <summary>
    /// The number of messages ever read or dropped. It is the position of the next message. Exact for the reader; other threads may see an
    /// older value.
    /// </summary>
    public long Removed => _store.Removed;

    /// <summary>Messages dropped because the buffer was full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Whether all messages before the given position were read or dropped.</summary>
    public bool IsPast(long place)
    {
        lock (_gate)
        {
            return _discarded || place <= _store.Removed;
        }
    }

    /// <summary>Records an id that came after the messages accepted so far, without a message for the reader.</summary>
    public void PassId(ReadOnlySpan<byte> id)
    {
        lock (_gate)
        {
            (_idBetween ??= new PlacedId()).Set(id, _store.Appended);
        }
    }

    /// <summary>
    /// Returns the id after which another reader can continue, which has all messages that this reader took, and whether it is the id of
    /// the last of them. The id is computed from the messages that the reader left in the store, so reading itself has no cost.
    /// </summary>
    /// <param name="limit">Only messages before this position count.</param>
    /// <param name="start">The id after which this stream started.</param>
    /// <param name="isStartExact">Whether that is the id of the last message that a previous reader took.</param>
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
    /// Appends messages as the mode allows. Returns how many were appended or dropped. If that is fewer than given, the buffer is full or
    /// paused, and the writer must wait for room.
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

        AfterAppend(drops, noticed, wake);
        return dealtWith;
    }

    /// <summary>Runs what an append has caused. Must be called without the lock, because it runs callbacks.</summary>
    private void AfterAppend(int drops, bool noticed, bool wake)
    {
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

    /// <summary>Takes the oldest notice that was not announced yet.</summary>
    public bool TryTakeNotice(out BufferNotice notice)
    {
        lock (_gate)
        {
            notice = default;
            return _notices?.TryTake(out notice) ?? false;
        }
    }

    /// <summary>
    /// Computes how many of the new messages are accepted, how many of those are dropped, and how many old messages are dropped for them.
    /// </summary>
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
