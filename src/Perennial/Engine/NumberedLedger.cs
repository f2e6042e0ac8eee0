using System.Diagnostics.CodeAnalysis;

namespace Perennial.Engine;

/// <summary>
/// The books of <see cref="NumberedSends"/>: which messages have which number, which of them the present connection has written, and
/// whether the server knows whose they are. Not thread safe.
/// </summary>
internal sealed class NumberedLedger
{
    private readonly List<NumberedSend> _unanswered = [];   // those that have left, in the order of their numbers
    private readonly List<NumberedSend> _fresh = [];        // those that have not, and so have no number
    private SenderName _sender = SenderName.New();
    private long _last;                                     // the highest number given
    private int _written;                                   // how many of the unanswered the present connection has written
    private Naming _naming;

    /// <summary>Whether the server knows whose messages come over the present connection.</summary>
    private enum Naming
    {
        NotNamed,
        Named,
        Answered,
    }

    /// <summary>Messages without an answer, those that have not left included.</summary>
    public int Count => _unanswered.Count + _fresh.Count;

    /// <summary>Those the present connection has written, the first one first.</summary>
    public IEnumerable<NumberedSend> Written => _unanswered.Take(_written);

    /// <summary>A connection begins, or there is none any more.</summary>
    public void BeginConnection() => (_written, _naming) = (0, Naming.NotNamed);

    public void Add(NumberedSend send) => _fresh.Add(send);

    /// <summary>Takes a message out again that has not left.</summary>
    public bool Remove(NumberedSend send) => _fresh.Remove(send);

    /// <summary>What the connection is to write next: whose messages follow, or one of them; neither where there is nothing, or not yet.</summary>
    public (SenderName? Sender, NumberedSend? Send) Next()
    {
        if (_written == _unanswered.Count && _fresh.Count == 0)
        {
            return default;
        }

        if (_naming == Naming.NotNamed)
        {
            _naming = Naming.Named;
            _sender = _sender with { Next = _unanswered is [var lowest, ..] ? lowest.Number : _last + 1 };
            return (_sender, null);
        }

        // A server that has forgotten the sender would see a hole; one that never knew it cannot.
        return _naming == Naming.Named && _sender.Next > 1 ? default : (null, TakeNext());
    }

    /// <summary>Takes out what is answered by the news that the server has all messages up to a number, but for those it refused.</summary>
    /// <param name="received">The number.</param>
    /// <param name="isForgotten">Whether the server has forgotten the sender: what had left is then taken out without an answer.</param>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public List<NumberedSend> Acknowledge(long received, out bool isForgotten)
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

    /// <summary>Takes out a message that the server will not take; false where that was known.</summary>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public bool TryRefuse(long number, [NotNullWhen(true)] out NumberedSend? send)
    {
        ThrowIfNeverGiven(number);
        var index = _unanswered.FindIndex(send => send.Number == number);
        if (index < 0)
        {
            send = null;
            return false;
        }

        send = _unanswered[index];
        _unanswered.RemoveAt(index);
        _written -= index < _written ? 1 : 0;
        return true;
    }

    /// <summary>Begins anew under another name, without what has left.</summary>
    public List<NumberedSend> Forget()
    {
        List<NumberedSend> left = [.. _unanswered];
        _unanswered.Clear();
        (_sender, _last) = (SenderName.New(), 0);
        BeginConnection();
        return left;
    }

    /// <summary>Takes out what has not left.</summary>
    public List<NumberedSend> TakeFresh()
    {
        List<NumberedSend> fresh = [.. _fresh];
        _fresh.Clear();
        return fresh;
    }

    private NumberedSend TakeNext()
    {
        if (_written == _unanswered.Count)
        {
            _fresh[0].Number = ++_last;
            _unanswered.Add(_fresh[0]);
            _fresh.RemoveAt(0);
        }

        return _unanswered[_written++];
    }

    private void ThrowIfNeverGiven(long number)
    {
        if (number > _last)
        {
            throw new TransportException(TransportErrorCode.ProtocolViolation, "The server answered a message that was not sent yet.");
        }
    }
}
