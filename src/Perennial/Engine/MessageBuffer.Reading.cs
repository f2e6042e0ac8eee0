namespace Perennial.Engine;

/// <content>The reader's side.</content>
internal sealed partial class MessageBuffer
{
    /// <summary>Takes the next message, unless there is none or hand-over is paused. One reader at a time.</summary>
    public bool TryRead(out StreamMessage message)
    {
        var isRead = _options.FullMode == BufferFullMode.DropOldest ? TryReadUnderLock(long.MaxValue, out message) : TryReadWithoutLock(out message);
        LookAfterReadIfNeeded();
        return isRead;
    }

    /// <summary>The same, if the next message is before the given place.</summary>
    public bool TryReadBefore(long place, out StreamMessage message)
    {
        if (_options.FullMode != BufferFullMode.DropOldest)
        {
            message = default;
            return _store.Removed < place && TryRead(out message);
        }

        var isRead = TryReadUnderLock(place, out message);
        LookAfterReadIfNeeded();
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

            _readerWait.Begin();
        }

        return _readerWait.AsValueTask(cancellationToken);
    }

    /// <summary>Lets the reader's present wait, or else its next one, end whether or not there is a message.</summary>
    public void WakeReader() => SetAndWake(static buffer => buffer._wakeRequested = !buffer._readerWait.IsPending, mayWakeForNothing: true);

    private bool TryReadWithoutLock(out StreamMessage message)
    {
        if (TryReadHere(out message))
        {
            return true;
        }

        lock (_gate)
        {
            if (_held || !_store.TrySwap())
            {
                return false;
            }
        }

        _metrics.HandedOver(_store.OutgoingSince);
        return TryReadHere(out message);
    }

    private bool TryReadUnderLock(long place, out StreamMessage message)
    {
        bool isSwapped;
        lock (_gate)
        {
            if (_store.Removed >= place)        // the writer may have dropped messages since the reader looked
            {
                message = default;
                return false;
            }

            if (TryReadHere(out message))
            {
                return true;
            }

            isSwapped = !_held && _store.TrySwap();
            if (!isSwapped || !TryReadHere(out message))
            {
                return false;
            }
        }

        _metrics.HandedOver(_store.OutgoingSince);
        return true;
    }

    private bool TryReadHere(out StreamMessage message)
    {
        if (Volatile.Read(ref _held))
        {
            message = default;
            return false;
        }

        return _store.TryTake(out message);
    }

    /// <summary>
    /// Announces the way down through the mark and lets the writer go on at half the capacity: one wake-up for many messages. No
    /// fence is needed: while the writer waits, a message that the reader has not taken was appended after the size to look at was set,
    /// and a reader that misses it sees it at the next try, which takes the lock when there is no message.
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
                noticed = UseNoticesLocked().AddCrossing(BufferNoticeKind.Drained, size);
            }

            if (_writerWaits && size <= _options.Capacity / 2)
            {
                _writerWaits = false;
                (room, _room) = (_room, null);
            }

            UpdateLookLocked();
        }

        if (noticed)
        {
            _noticed(_listener);
        }

        room?.TrySetResult();
    }

    private void LookAfterReadIfNeeded()
    {
        if (Volatile.Read(ref _lookAt) is not NeverLook and var size && _store.RoughCount <= size)
        {
            LookAfterRead();
        }
    }

    /// <summary>The end, once the reader has everything before it.</summary>
    private StreamEnd? EndForReaderLocked => SizeLocked == 0 ? _end : null;
}
