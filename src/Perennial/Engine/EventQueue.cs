namespace Perennial.Engine;

/// <summary>
/// Events that wait to be raised, each with its place in the stream: how many messages the buffer had accepted when it happened. Where
/// messages are consumed by events too, this decides what comes next: an event comes after the messages before its place and before the
/// others. Used under the dispatcher's lock.
/// </summary>
/// <param name="buffer">The messages.</param>
internal sealed class EventQueue(MessageBuffer buffer)
{
    /// <summary>Events that may wait behind a handler that does not return; beyond it the oldest are skipped and counted.</summary>
    public const int Limit = 1024;

    private readonly Queue<(object Event, long Place)> _events = new();
    private int _skipped;

    public bool IsEmpty => _events.Count == 0;

    /// <summary>Adds something that happened now, after the messages accepted so far.</summary>
    public void Add(object happened)
    {
        if (_events.Count == Limit)
        {
            _events.Dequeue();
            _skipped++;
        }

        _events.Enqueue((happened, buffer.Appended));
    }

    /// <summary>Takes the oldest event, if its turn has come.</summary>
    /// <param name="waitsForMessages">Whether messages are consumed by events, so that an event waits for those before it.</param>
    /// <param name="happened">The event.</param>
    public bool TryTakeDue(bool waitsForMessages, out object? happened)
    {
        var isDue = _events.TryPeek(out var first) && (!waitsForMessages || buffer.IsPast(first.Place));
        happened = isDue ? _events.Dequeue().Event : null;
        return isDue;
    }

    /// <summary>
    /// Before which place messages may be delivered without another look here. No event that is added later can belong before it: an
    /// event is added before the messages that follow it are accepted, and its place is the count of those accepted.
    /// </summary>
    public long NextPlace()
    {
        var appended = buffer.Appended;     // read first: what is added after this has a place that is no lower
        return _events.TryPeek(out var first) && first.Place < appended ? first.Place : appended;
    }

    /// <summary>How many events were skipped since the last call.</summary>
    public int TakeSkipped()
    {
        var skipped = _skipped;
        _skipped = 0;
        return skipped;
    }
}
