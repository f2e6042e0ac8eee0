namespace Perennial.Engine;

/// <summary>
/// The books of the numbered messages that have no answer: which of them the present connection has written, and whether the peer knows
/// whose they are (docs/protocol.md, Sends). Not thread safe.
/// </summary>
internal sealed class NumberedLedger
{
    /// <summary>How many messages may be without an answer.</summary>
    private const int Window = 256;

    private readonly List<OutgoingSend> _unanswered = [];   // in the order of their numbers
    private SenderName _sender = SenderName.New();
    private long _last;                                     // the highest number given
    private int _written;                                   // how many of the unanswered the present connection has written
    private Naming _naming;

    /// <summary>Whether the peer knows whose messages come over the present connection.</summary>
    private enum Naming
    {
        NotNamed,
        Named,
        Answered,
    }

    /// <summary>Messages without an answer.</summary>
    public int Count => _unanswered.Count;

    /// <summary>Whether another message may have a number.</summary>
    public bool HasRoom => _unanswered.Count < Window;

    /// <summary>Whether there are messages that the present connection has not written.</summary>
    public bool HasUnwritten => _written < _unanswered.Count;

    /// <summary>Whether messages may follow the name: a peer that has forgotten the sender would see a hole; one that never knew it cannot.</summary>
    public bool IsKnown => _naming == Naming.Answered || (_naming == Naming.Named && _sender.Next == 1);

    /// <summary>A connection begins.</summary>
    public void BeginConnection() => (_written, _naming) = (0, Naming.NotNamed);

    /// <summary>Whose messages follow, to be written before the first of them; <see langword="null"/> where it was written already.</summary>
    public SenderName? TakeName()
    {
        if (_naming != Naming.NotNamed)
        {
            return null;
        }

        _naming = Naming.Named;
        _sender = _sender with { Next = _unanswered is [var lowest, ..] ? lowest.Number : _last + 1 };
        return _sender;
    }

    /// <summary>The next message to write again.</summary>
    public OutgoingSend Rewrite() => _unanswered[_written++];

    /// <summary>Gives a message its number; it is written now.</summary>
    public void Add(OutgoingSend send)
    {
        send.Number = ++_last;
        _unanswered.Add(send);
        _written++;
    }

    /// <summary>Takes out what is answered by the news that the peer has all messages up to a number, but for those it refused.</summary>
    /// <param name="received">The number.</param>
    /// <param name="isForgotten">Whether the peer has forgotten the sender: all are then taken out without an answer.</param>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public List<OutgoingSend> Acknowledge(long received, out bool isForgotten)
    {
        isForgotten = false;
        if (_naming == Naming.NotNamed)
        {
            return [];          // not about messages of this connection's
        }

        ThrowIfNeverGiven(received);
        isForgotten = _naming == Naming.Named && received < _sender.Next - 1;
        if (isForgotten)
        {
            return Forget();
        }

        _naming = Naming.Answered;
        var count = _unanswered.TakeWhile(send => send.Number <= received).Count();
        var answered = _unanswered[..count];
        _unanswered.RemoveRange(0, count);
        _written = Math.Max(0, _written - count);
        return answered;
    }

    /// <summary>Takes out a message that the peer will not take; <see langword="null"/> where that was known.</summary>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public OutgoingSend? Refuse(long number)
    {
        ThrowIfNeverGiven(number);
        var index = _unanswered.FindIndex(send => send.Number == number);
        if (index < 0)
        {
            return null;
        }

        var send = _unanswered[index];
        _unanswered.RemoveAt(index);
        _written -= index < _written ? 1 : 0;
        return send;
    }

    /// <summary>Those that have waited too long for an answer. They keep their places.</summary>
    /// <param name="limit">How long an answer may take.</param>
    /// <param name="isReading">Whether answers are being read; else none has waited too long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="wait">When to look again, from now.</param>
    public List<OutgoingSend> FindLate(TimeSpan limit, bool isReading, TimeProvider time, out TimeSpan wait)
    {
        List<OutgoingSend> late = [];
        foreach (var send in _unanswered.Take(_written).Where(static send => !send.Fate.IsCompleted))
        {
            wait = isReading ? limit - time.GetElapsedTime(send.LeftAt) : limit;
            if (wait > TimeSpan.Zero)
            {
                return late;
            }

            late.Add(send);
        }

        wait = Timeout.InfiniteTimeSpan;
        return late;
    }

    /// <summary>Takes out all, and begins anew under another name.</summary>
    public List<OutgoingSend> Forget()
    {
        List<OutgoingSend> all = [.. _unanswered];
        _unanswered.Clear();
        (_sender, _last) = (SenderName.New(), 0);
        BeginConnection();
        return all;
    }

    private void ThrowIfNeverGiven(long number)
    {
        if (number > _last)
        {
            throw new TransportException(TransportErrorCode.ProtocolViolation, "The server answered a message that was not sent yet.");
        }
    }
}
