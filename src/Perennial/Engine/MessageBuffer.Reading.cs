namespace Perennial.Engine;

/// <content>The methods of the reader.</content>
internal sealed partial class MessageBuffer
{
    /// <summary>Takes the next message, unless there is none or the buffer is paused. One reader at a time.</summary>
    public bool TryRead(out StreamMessage message)
    {
        var isRead = _options.FullMode == BufferFullMode.DropOldest
            ? TryReadUnderLock(long.MaxValue, out message)
            : TryReadWithoutLock(out message);
        LookAfterReadIfNeeded();
        return isRead;
    }

    /// <summary>Takes the next message if it is before the given position.</summary>
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
    /// Waits until <see cref="TryRead"/> may succeed or <see cref="WakeReader"/> is called (then returns <see langword="null"/>), or until
    /// the stream has ended and all messages were read (then returns how it ended). One reader at a time.
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

    /// <summary>Ends the reader's present wait, or else its next one, even if there is no message.</summary>
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
    /// Announces that the size fell below the mark, and wakes the writer at half the capacity, so that it wakes once for many messages. No
    /// memory fence is needed. While the writer waits, the buffer holds a message that was appended after the size to look at was set, and
    /// that the reader has not taken. A reader that reads an older value takes the remaining messages; when none is at hand it takes the
    /// lock, and then sees the new value.
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

    /// <summary>How the stream ended, once the reader has taken all messages.</summary>
    private StreamEnd? EndForReaderLocked => SizeLocked == 0 ? _end : null;
}
