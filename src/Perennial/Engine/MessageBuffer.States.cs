namespace Perennial.Engine;

/// <content>Paused, ended, discarded.</content>
internal sealed partial class MessageBuffer
{
    /// <param name="timestamp">Now; kept where the buffer is not paused already.</param>
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
}
