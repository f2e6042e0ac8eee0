namespace Perennial.Engine;

/// <summary>
/// The numbered messages without an answer. Records which of them were written on the present connection, and whether the peer has accepted
/// the sender's name (docs/protocol.md, Sends). Not thread safe.
/// </summary>
internal sealed class NumberedLedger
{
    /// <summary>The largest number of messages without an answer.</summary>
    private const int Window = 256;

    private readonly List<OutgoingSend> _unanswered = [];   // in the order of their numbers
    private SenderName _sender = SenderName.New();
    private long _last;                                     // the highest number assigned
    private int _written;                                   // how many of the unanswered messages were written on the present connection
    private Naming _naming;

    /// <summary>Whether the sender's name was written on the present connection, and answered.</summary>
    private enum Naming
    {
        NotNamed,
        Named,
        Answered,
    }

    /// <summary>The number of messages without an answer.</summary>
    public int Count => _unanswered.Count;

    /// <summary>Whether another message can be numbered.</summary>
    public bool HasRoom => _unanswered.Count < Window;

    /// <summary>Whether there are messages that were not written on the present connection.</summary>
    public bool HasUnwritten => _written < _unanswered.Count;

    /// <summary>
    /// Whether messages may follow the sender's name. If the peer has forgotten the sender, the first message would not have the number it
    /// expects, so its answer must come first. If all messages of the sender are new, that cannot happen.
    /// </summary>
    public bool IsKnown => _naming == Naming.Answered || (_naming == Naming.Named && _sender.Next == 1);

    /// <summary>Starts a new connection.</summary>
    public void BeginConnection() => (_written, _naming) = (0, Naming.NotNamed);

    /// <summary>
    /// Returns the sender's name if it must be written before the next message. <see langword="null"/> if it was already written.
    /// </summary>
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

    /// <summary>Returns the next message to write again.</summary>
    public OutgoingSend Rewrite() => _unanswered[_written++];

    /// <summary>Assigns the next number to a message, which the caller writes now.</summary>
    public void Add(OutgoingSend send)
    {
        send.Number = ++_last;
        _unanswered.Add(send);
        _written++;
    }

    /// <summary>Removes and returns the messages acknowledged by a cumulative acknowledgement, except refused ones.</summary>
    /// <param name="received">The acknowledged number.</param>
    /// <param name="isForgotten">Whether the peer has forgotten the sender. All messages are then returned, without an answer.</param>
    /// <exception cref="TransportException">No message with this number was sent.</exception>
    public List<OutgoingSend> Acknowledge(long received, out bool isForgotten)
    {
        isForgotten = false;
        if (_naming == Naming.NotNamed)
        {
            return [];          // concerns no message written on this connection
        }

        ThrowIfNotUsed(received);
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

    /// <summary>Removes and returns a message that the peer refused. <see langword="null"/> if it was already removed.</summary>
    /// <exception cref="TransportException">No message with this number was sent.</exception>
    public OutgoingSend? Refuse(long number)
    {
        ThrowIfNotUsed(number);
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

    /// <summary>Returns the messages that have waited too long for an answer. They keep their places.</summary>
    /// <param name="limit">The longest wait for an answer.</param>
    /// <param name="isReading">Whether answers are being read. If not, no message has waited too long.</param>
    /// <param name="time">The clock.</param>
    /// <param name="wait">The time until the next check.</param>
    public List<OutgoingSend> FindLate(TimeSpan limit, bool isReading, TimeProvider time, out TimeSpan wait)
    {
        List<OutgoingSend> late = [];
        foreach (var send in _unanswered.Take(_written).Where(static send => !send.Outcome.IsCompleted))
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

    /// <summary>Removes and returns all messages, and starts again with another sender name.</summary>
    public List<OutgoingSend> Forget()
    {
        List<OutgoingSend> all = [.. _unanswered];
        _unanswered.Clear();
        (_sender, _last) = (SenderName.New(), 0);
        BeginConnection();
        return all;
    }

    private void ThrowIfNotUsed(long number)
    {
        if (number > _last)
        {
            throw new TransportException(
                TransportErrorCode.ProtocolViolation, "The server acknowledged or refused a message that was not sent yet.");
        }
    }
}
