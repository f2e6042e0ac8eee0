using System.Buffers;

namespace Perennial.Engine;

/// <summary>
/// Two arrays of messages: the writer fills one, the reader empties the other, and they are swapped when the reader's runs out. All but
/// <see cref="TryTake"/> and <see cref="RoughCount"/> is called under the buffer's lock; where messages are dropped from the reader's
/// end, <see cref="TryTake"/> is too.
/// </summary>
internal sealed class MessageStore
{
    private const int LargestKeptArray = 16;

    private StreamMessage[] _incoming = [];
    private int _incomingCount;
    private long _incomingSince;            // when the oldest incoming message came off the socket
    private StreamMessage[] _outgoing = [];
    private int _outgoingCount;
    private int _next;                      // first unread of outgoing
    private long _removedBefore;            // messages of earlier outgoing arrays
    private long _appended;
    private readonly PlacedId _idBefore = new();       // the last id in earlier outgoing arrays

    /// <summary>Messages ever stored. From anywhere.</summary>
    public long Appended => Volatile.Read(ref _appended);

    /// <summary>Messages ever taken or dropped.</summary>
    public long Removed => _removedBefore + Volatile.Read(ref _next);

    public int Count => _outgoingCount - Volatile.Read(ref _next) + _incomingCount;

    /// <summary>What the reader knows of <see cref="Count"/> without the lock: never more than it was when the reader last swapped plus what came since.</summary>
    public int RoughCount => _outgoingCount - _next + Volatile.Read(ref _incomingCount);

    /// <summary>Whether the reader has a message at hand, without a swap. For the reader.</summary>
    public bool IsAtHand => _next < _outgoingCount;

    /// <summary>When the oldest message of the reader's array came off the socket.</summary>
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

    /// <summary>Takes the reader's next message, if it has one at hand.</summary>
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

    /// <summary>Makes what the writer stored the reader's, if the reader's own is used up; returns whether there was anything. A large array is given back.</summary>
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
    /// The last id of its own that a removed message before <paramref name="limit"/> has, and the place after that message; place 0 where
    /// there is none.
    /// </summary>
    public (string? Id, long Place) LastId(long limit)
    {
        // Removed messages stay in their array until the swap, which needs the lock.
        var count = (int)Math.Clamp(limit - _removedBefore, 0, Volatile.Read(ref _next));
        return FindId(count) is >= 0 and var last
            ? (_outgoing[last].Id, _removedBefore + last + 1)
            : (_idBefore.Id, _idBefore.Place);
    }

    /// <summary>Drops the messages that waited longest. Returns whether one of them follows a gap.</summary>
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

    /// <summary>Marks the reader's next message as one that follows a gap. There is one.</summary>
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

    /// <summary>The last of the reader's first messages that has an id of its own; -1 where none has.</summary>
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
}
