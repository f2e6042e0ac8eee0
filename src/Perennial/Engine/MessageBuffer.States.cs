namespace Perennial.Engine;

/// <content>The states paused, ended and discarded.</content>
internal sealed partial class MessageBuffer
{
    /// <param name="timestamp">The present time. Ignored if the buffer is already paused.</param>
    public void Pause(long timestamp)
    {
        lock (_gate)
        {
            _pausedSince = _paused ? _pausedSince : timestamp;
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

    /// <summary>Marks the end of the stream. Waiting messages can still be read, and after them the end.</summary>
    public void End(StreamEnd end) => SetAndWake(buffer => buffer._end = end, mayWakeForNothing: false);

    /// <summary>Allows messages again after an end.</summary>
    public void Reopen()
    {
        lock (_gate)
        {
            _end = null;
        }
    }

    /// <summary>Discards the waiting messages and delivers none any more. The reader gets the end as soon as it is set.</summary>
    public void Discard() => SetAndWake(
        static buffer =>
        {
            buffer._discarded = true;
            Volatile.Write(ref buffer._held, true);
        },
        mayWakeForNothing: false);

    /// <summary>Completes when there is room and the buffer is not paused.</summary>
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

    /// <summary>Completes when the buffer is not paused.</summary>
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

    private ValueTask WaitForResumeLocked(CancellationToken cancellationToken)
    {
        _resumed ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return new ValueTask(_resumed.Task.WaitAsync(cancellationToken));
    }
}
