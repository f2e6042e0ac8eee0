using System.Buffers;
using System.Threading.Tasks.Sources;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// The bounded queue between one writer (the connection loop) and one reader. Messages change hands in batches: the writer fills
/// one array under a lock, the reader empties another without, and they are swapped when the reader's runs out.
/// </summary>
/// <remarks>
/// Any thread may pause, resume, end, wake or ask for the size. In <see cref="BufferFullMode.DropOldest"/> the reader takes the
/// lock for every message, because there the writer takes messages away from its end.
/// </remarks>
internal sealed class MessageBuffer : IValueTaskSource<StreamEnd?>
{
    private const int LargestKeptArray = 16;

    private readonly Lock _gate = new();
    private readonly BufferOptions _options;
    private readonly int _mark;
    private readonly LatencyRecorder _latency;
    private readonly Action _noticed;
    private readonly BufferNotices _notices = new();

    private StreamMessage[] _incoming = [];
    private int _incomingCount;
    private long _incomingSince;            // when the oldest incoming message came off the socket
    private StreamMessage[] _outgoing = [];
    private int _outgoingCount;
    private long _outgoingSince;
    private int _next;                      // first unread of outgoing; written by the reader, in DropOldest under the lock
    private long _removedBefore;            // messages of earlier outgoing arrays
    private long _appended;
    private long _dropped;
    private bool _paused;
    private StreamEnd? _end;
    private bool _discarded;
    private bool _held;                     // paused or discarded: the reader gets nothing
    private bool _aboveMark;
    private bool _writerWaits;
    private bool _readerMustLook;           // above the mark or the writer waits: the reader must check after each message
    private TaskCompletionSource? _room;
    private TaskCompletionSource? _resumed;

    private ManualResetValueTaskSourceCore<StreamEnd?> _arrival = new() { RunContinuationsAsynchronously = true };
    private CancellationTokenRegistration _arrivalCancellation;
    private bool _readerWaits;
    private bool _wakeRequested;

    /// <param name="options">Capacity, mode and mark.</param>
    /// <param name="latency">Told of each batch the reader takes.</param>
    /// <param name="noticed">Called, outside the lock, when <see cref="TryTakeNotice"/> has something new.</param>
    public MessageBuffer(BufferOptions options, LatencyRecorder latency, Action noticed)
    {
        _options = options;
        _mark = options.MarkSize;
        _latency = latency;
        _noticed = noticed;
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

    /// <summary>Messages ever accepted: the place in the stream at which an event happens.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>Messages dropped because the buffer was full.</summary>
    public long Dropped => Volatile.Read(ref _dropped);

    /// <summary>Whether the reader is past the given place: it read, or the buffer dropped, all messages before it.</summary>
    public bool IsPast(long place)
    {
        lock (_gate)
        {
            return _discarded || place <= _removedBefore + Volatile.Read(ref _next);
        }
    }

    private int SizeLocked => _discarded ? 0 : _outgoingCount - Volatile.Read(ref _next) + _incomingCount;

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
        lock (_gate)
        {
            var (accepted, dropsNewest, dropsOldest) = AdmitLocked(messages.Length);
            DropOldestLocked(dropsOldest);
            var skipped = _options.FullMode == BufferFullMode.DropOldest ? dropsNewest : 0;
            StoreLocked(messages.Slice(skipped, accepted), receivedAt);
            dealtWith = accepted + dropsNewest;
            noticed = _notices.AddDropped(dropsNewest + dropsOldest);
            Volatile.Write(ref _dropped, _dropped + dropsNewest + dropsOldest);
            if (!_aboveMark && SizeLocked >= _mark)
            {
                _aboveMark = true;
                Volatile.Write(ref _readerMustLook, true);
                noticed |= _notices.AddCrossing(BufferNoticeKind.Backpressure, SizeLocked);
            }

            wake = TakeReaderWaitLocked(IsReadableLocked);
        }

        if (noticed)
        {
            _noticed();
        }

        if (wake)
        {
            _arrival.SetResult(null);
        }

        return dealtWith;
    }

    /// <summary>Takes the oldest notice not yet announced.</summary>
    public bool TryTakeNotice(out BufferNotice notice)
    {
        lock (_gate)
        {
            return _notices.TryTake(out notice);
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
            Volatile.Write(ref _readerMustLook, true);
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

    /// <summary>Takes the next message, unless there is none or hand-over is paused. One reader at a time.</summary>
    public bool TryRead(out StreamMessage message)
    {
        var isRead = _options.FullMode == BufferFullMode.DropOldest ? TryReadUnderLock(out message) : TryReadWithoutLock(out message);
        if (Volatile.Read(ref _readerMustLook))
        {
            LookAfterRead();
        }

        return isRead;
    }

    /// <summary>
    /// Waits until <see cref="TryRead"/> may succeed or <see cref="WakeReader"/> is called (<see langword="null"/>), or the stream has
    /// ended and all of it was read (how it ended). One reader at a time.
    /// </summary>
    public ValueTask<StreamEnd?> WaitToReadAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (IsReadableLocked || _wakeRequested)
            {
                _wakeRequested = false;
                return new ValueTask<StreamEnd?>((StreamEnd?)null);
            }

            if (EndForReaderLocked is { } end)
            {
                return new ValueTask<StreamEnd?>(end);
            }

            if (cancellationToken.IsCancellationRequested)
            {
                return ValueTask.FromCanceled<StreamEnd?>(cancellationToken);
            }

            _arrival.Reset();
            _readerWaits = true;
        }

        if (cancellationToken.CanBeCanceled)
        {
            _arrivalCancellation = cancellationToken.UnsafeRegister(
                static (state, token) => ((MessageBuffer)state!).CancelReaderWait(token), this);
        }

        return new ValueTask<StreamEnd?>(this, _arrival.Version);
    }

    /// <summary>Lets the reader's present wait, or else its next one, end whether or not there is a message.</summary>
    public void WakeReader() => SetAndWake(static buffer => buffer._wakeRequested = !buffer._readerWaits, mayWakeForNothing: true);

    public void Pause()
    {
        lock (_gate)
        {
            _paused = true;
            Volatile.Write(ref _held, true);
        }
    }

    public void Resume()
    {
        TaskCompletionSource? resumed = null;
        SetAndWake(
            buffer =>
            {
                buffer._paused = false;
                Volatile.Write(ref buffer._held, buffer._discarded);
                (resumed, buffer._resumed) = (buffer._resumed, null);
            },
            mayWakeForNothing: false);
        resumed?.TrySetResult();
    }

    /// <summary>No more messages will come; what waits can still be read, and then this end.</summary>
    public void End(StreamEnd end) => SetAndWake(buffer => buffer._end = end, mayWakeForNothing: false);

    /// <summary>Messages will come again.</summary>
    public void Reopen()
    {
        lock (_gate)
        {
            _end = null;
        }
    }

    /// <summary>Forgets what waits and hands out nothing more: the reader gets the end as soon as there is one.</summary>
    public void Discard() => SetAndWake(
        static buffer =>
        {
            buffer._discarded = true;
            Volatile.Write(ref buffer._held, true);
        },
        mayWakeForNothing: false);

    StreamEnd? IValueTaskSource<StreamEnd?>.GetResult(short token)
    {
        _arrivalCancellation.Dispose();
        _arrivalCancellation = default;
        return _arrival.GetResult(token);
    }

    ValueTaskSourceStatus IValueTaskSource<StreamEnd?>.GetStatus(short token) => _arrival.GetStatus(token);

    void IValueTaskSource<StreamEnd?>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _arrival.OnCompleted(continuation, state, token, flags);

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

    private void DropOldestLocked(int count)
    {
        while (count > 0)
        {
            var here = Math.Min(count, _outgoingCount - _next);
            _next += here;
            count -= here;
            if (count > 0)
            {
                SwapLocked();
            }
        }
    }

    private void StoreLocked(ReadOnlySpan<StreamMessage> messages, long receivedAt)
    {
        if (messages.IsEmpty)
        {
            return;
        }

        if (_incomingCount == 0)
        {
            _incomingSince = receivedAt;
        }

        var needed = _incomingCount + messages.Length;
        if (needed > _incoming.Length)
        {
            GrowIncomingLocked(needed);
        }

        messages.CopyTo(_incoming.AsSpan(_incomingCount));
        _incomingCount = needed;
        Volatile.Write(ref _appended, _appended + messages.Length);
    }

    private void GrowIncomingLocked(int needed)
    {
        var size = Math.Max(needed, _incoming.Length * 2);
        var larger = size <= LargestKeptArray ? new StreamMessage[size] : ArrayPool<StreamMessage>.Shared.Rent(size);
        _incoming.AsSpan(0, _incomingCount).CopyTo(larger);
        Release(_incoming, _incomingCount);
        _incoming = larger;
    }

    private bool TryReadWithoutLock(out StreamMessage message)
    {
        if (TryReadHere(out message))
        {
            return true;
        }

        lock (_gate)
        {
            if (_held || !SwapLocked())
            {
                return false;
            }
        }

        _latency.Record(_outgoingSince);
        return TryReadHere(out message);
    }

    private bool TryReadUnderLock(out StreamMessage message)
    {
        lock (_gate)
        {
            if (TryReadHere(out message))
            {
                return true;
            }

            if (_held || !SwapLocked())
            {
                return false;
            }

            _latency.Record(_outgoingSince);
            return TryReadHere(out message);
        }
    }

    private bool TryReadHere(out StreamMessage message)
    {
        var next = _next;
        if (Volatile.Read(ref _held) || next >= _outgoingCount)
        {
            message = default;
            return false;
        }

        message = _outgoing[next];
        Volatile.Write(ref _next, next + 1);
        return true;
    }

    /// <summary>Makes what the writer stored the reader's. The reader's own array must be used up; a large one is given back.</summary>
    private bool SwapLocked()
    {
        if (_next < _outgoingCount)
        {
            return false;
        }

        _removedBefore += _outgoingCount;
        Volatile.Write(ref _next, 0);
        var used = Release(_outgoing, _outgoingCount);
        if (_incomingCount == 0)
        {
            (_outgoing, _outgoingCount) = (used, 0);
            return false;
        }

        (_outgoing, _outgoingCount, _outgoingSince) = (_incoming, _incomingCount, _incomingSince);
        (_incoming, _incomingCount) = (used, 0);
        return true;
    }

    /// <summary>Clears a used array, so that it keeps no message alive, and returns it to be used again or an empty one for it.</summary>
    private static StreamMessage[] Release(StreamMessage[] array, int count)
    {
        Array.Clear(array, 0, count);
        if (array.Length <= LargestKeptArray)
        {
            return array;
        }

        ArrayPool<StreamMessage>.Shared.Return(array);
        return [];
    }

    /// <summary>
    /// Announces the way down through the mark and lets the writer go on at half the capacity: one wake-up for many messages. No
    /// fence is needed: a reader that misses the flag here sees it at its next try, which takes the lock when there is no message.
    /// </summary>
    private void LookAfterRead()
    {
        TaskCompletionSource? room = null;
        var noticed = false;
        lock (_gate)
        {
            var size = SizeLocked;
            if (_aboveMark && size < _mark)
            {
                _aboveMark = false;
                noticed = _notices.AddCrossing(BufferNoticeKind.Drained, size);
            }

            if (_writerWaits && size <= _options.Capacity / 2)
            {
                _writerWaits = false;
                (room, _room) = (_room, null);
            }

            Volatile.Write(ref _readerMustLook, _aboveMark || _writerWaits);
        }

        if (noticed)
        {
            _noticed();
        }

        room?.TrySetResult();
    }

    /// <summary>The end, once the reader has everything before it.</summary>
    private StreamEnd? EndForReaderLocked => SizeLocked == 0 ? _end : null;

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
            wake = TakeReaderWaitLocked(mayWakeForNothing || end is not null || IsReadableLocked);
        }

        if (wake)
        {
            _arrival.SetResult(end);
        }
    }

    private bool TakeReaderWaitLocked(bool condition)
    {
        var take = condition && _readerWaits;
        if (take)
        {
            _readerWaits = false;
        }

        return take;
    }

    private void CancelReaderWait(CancellationToken cancellationToken)
    {
        bool wake;
        lock (_gate)
        {
            wake = TakeReaderWaitLocked(true);
        }

        if (wake)
        {
            _arrival.SetException(new OperationCanceledException(cancellationToken));
        }
    }
}
