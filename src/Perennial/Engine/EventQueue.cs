namespace Perennial.Engine;

/// <summary>
/// Events that wait to be raised. Each has a position in the stream: the number of messages that the buffer had accepted when the event
/// occurred. If messages are consumed by events too, an event is raised after the messages before its position and before the messages
/// after it. Used under the dispatcher's lock.
/// </summary>
/// <param name="buffer">The buffer of the messages.</param>
internal sealed class EventQueue(MessageBuffer buffer)
{
    /// <summary>How many events may wait while a handler does not return. Beyond it the oldest are skipped and counted.</summary>
    public const int Limit = 1024;

    private readonly Queue<(object Event, long Place)> _events = new();
    private int _skipped;

    public bool IsEmpty => _events.Count == 0;

    /// <summary>Adds an event after the messages accepted so far.</summary>
    public void Add(object happened)
    {
        if (_events.Count == Limit)
        {
            _events.Dequeue();
            _skipped++;
        }

        _events.Enqueue((happened, buffer.Appended));
    }

    /// <summary>Takes the oldest event, if it is due.</summary>
    /// <param name="waitsForMessages">Whether messages are consumed by events, so that an event waits for the messages before it.</param>
    /// <param name="happened">The event.</param>
    public bool TryTakeDue(bool waitsForMessages, out object? happened)
    {
        var isDue = _events.TryPeek(out var first) && (!waitsForMessages || buffer.IsPast(first.Place));
        happened = isDue ? _events.Dequeue().Event : null;
        return isDue;
    }

    /// <summary>The position before which messages may be delivered without asking this queue again.</summary>
    public long NextPlace()
    {
        var appended = buffer.Appended;     // read first, because an event added later has at least this position
        return _events.TryPeek(out var first) && first.Place < appended ? first.Place : appended;
    }

    /// <summary>Returns the number of events skipped since the last call.</summary>
    public int TakeSkipped()
    {
        var skipped = _skipped;
        _skipped = 0;
        return skipped;
    }
}
