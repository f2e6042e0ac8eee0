using System.Buffers;

namespace Perennial.Engine;

/// <summary>
/// Two arrays of messages. The writer fills one and the reader empties the other; they are swapped when the reader's array is empty. All
/// members except <see cref="TryTake"/> and <see cref="RoughCount"/> are called under the buffer's lock. If messages can be dropped from
/// the reader's end, <see cref="TryTake"/> is too.
/// </summary>
internal sealed class MessageStore
{
    private const int LargestKeptArray = 16;

    private StreamMessage[] _incoming = [];
    private int _incomingCount;
    private long _incomingSince;            // when the oldest incoming message was read from the socket
    private StreamMessage[] _outgoing = [];
    private int _outgoingCount;
    private int _next;                      // the first unread message in outgoing
    private long _removedBefore;            // the number of messages in earlier outgoing arrays
    private long _appended;
    private readonly PlacedId _idBefore = new();       // the last id in earlier outgoing arrays

    /// <summary>The number of messages ever stored. Any thread may read it.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>The number of messages ever taken or dropped.</summary>
    public long Removed => _removedBefore + Volatile.Read(ref _next);

    public int Count => _outgoingCount - Volatile.Read(ref _next) + _incomingCount;

    /// <summary>
    /// The value of <see cref="Count"/> that the reader sees without the lock. It is at most the count at the reader's last swap plus the
    /// messages stored since.
    /// </summary>
    public int RoughCount => _outgoingCount - _next + Volatile.Read(ref _incomingCount);

    /// <summary>Whether the reader can take a message without a swap. For the reader only.</summary>
    public bool IsAtHand => _next < _outgoingCount;

    /// <summary>When the oldest message in the reader's array was read from the socket.</summary>
    public long OutgoingSince { get; private set; }

    public void Append(ReadOnlySpan<StreamMessage> messages, long receivedAt)
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
            GrowIncoming(needed);
        }

        messages.CopyTo(_incoming.AsSpan(_incomingCount));
        Volatile.Write(ref _incomingCount, needed);
        Volatile.Write(ref _appended, _appended + messages.Length);
    }

    /// <summary>Takes the reader's next message, if its array has one.</summary>
    public bool TryTake(out StreamMessage message)
    {
        var next = _next;
        if (next >= _outgoingCount)
        {
            message = default;
            return false;
        }

        message = _outgoing[next];
        Volatile.Write(ref _next, next + 1);
        return true;
    }

    /// <summary>
    /// Swaps the arrays if the reader's array is empty. Returns whether there was a message. A large used array is released.
    /// </summary>
    public bool TrySwap()
    {
        if (_next < _outgoingCount)
        {
            return false;
        }

        if (FindId(_outgoingCount) is >= 0 and var last)
        {
            _idBefore.Set(_outgoing[last].IdUtf8, _removedBefore + last + 1);
        }

        _removedBefore += _outgoingCount;
        Volatile.Write(ref _next, 0);
        var used = Release(_outgoing, _outgoingCount);
        if (_incomingCount == 0)
        {
            (_outgoing, _outgoingCount) = (used, 0);
            return false;
        }

        (_outgoing, _outgoingCount, OutgoingSince) = (_incoming, _incomingCount, _incomingSince);
        (_incoming, _incomingCount) = (used, 0);
        return true;
    }

    /// <summary>
    /// Returns the id of the last removed message before <paramref name="limit"/> that has an id of its own, and the position after that
    /// message. The position is 0 if there is none.
    /// </summary>
    public (string? Id, long Place) LastId(long limit)
    {
        // Removed messages stay in their array until the swap, which requires the lock.
        var count = (int)Math.Clamp(limit - _removedBefore, 0, Volatile.Read(ref _next));
        return FindId(count) is >= 0 and var last
            ? (_outgoing[last].Id, _removedBefore + last + 1)
            : (_idBefore.Id, _idBefore.Place);
    }

    /// <summary>Drops the messages that have waited longest. Returns whether one of them follows a gap.</summary>
    public bool DropOldest(int count)
    {
        var hasLostMark = false;
        while (count > 0)
        {
            var here = Math.Min(count, _outgoingCount - _next);
            hasLostMark |= FollowsGap(_outgoing.AsSpan(_next, here));
            _next += here;
            count -= here;
            if (count > 0)
            {
                TrySwap();
            }
        }

        return hasLostMark;
    }

    /// <summary>Marks the reader's next message as following a gap. The caller ensures that there is one.</summary>
    public void MarkNext()
    {
        ref var next = ref IsAtHand ? ref _outgoing[_next] : ref _incoming[0];
        next = next.AfterGap();
    }

    /// <summary>Whether one of these messages follows a gap.</summary>
    public static bool FollowsGap(ReadOnlySpan<StreamMessage> messages)
    {
        foreach (ref readonly var message in messages)
        {
            if (message.FollowsGap)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>The index of the last of the reader's first messages that has an id of its own, or -1.</summary>
    private int FindId(int count)
    {
        for (var i = count - 1; i >= 0; i--)
        {
            if (_outgoing[i].MovesCursor)
            {
                return i;
            }
        }

        return -1;
    }

    private void GrowIncoming(int needed)
    {
        var size = Math.Max(needed, _incoming.Length * 2);
        var larger = size <= LargestKeptArray ? new StreamMessage[size] : ArrayPool<StreamMessage>.Shared.Rent(size);
        _incoming.AsSpan(0, _incomingCount).CopyTo(larger);
        Release(_incoming, _incomingCount);
        _incoming = larger;
    }

    /// <summary>
    /// Clears a used array, so that it keeps no message alive. Returns the array for reuse, or an empty one if it is large.
    /// </summary>
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
}
