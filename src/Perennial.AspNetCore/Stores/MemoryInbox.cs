namespace Perennial.AspNetCore.Stores;

/// <summary>The messages that wait for the producer of one run, and what has to be remembered of those before. Not safe for threads.</summary>
internal sealed class MemoryInbox(long maxPendingBytes)
{
    private const int RememberedKeys = 10_000;
    private const int RememberedSenders = 1_000;
    private const int Overhead = 64;

    private readonly Queue<RunMessage> _pending = new();
    private readonly RecentNames<bool> _keys = new(RememberedKeys);
    private readonly RecentNames<long> _received = new(RememberedSenders);
    private long _pendingBytes;
    private long _position;

    public long ReceivedFrom(string sender) => _received.TryGet(sender, out var number) ? number : 0;

    public ReceiveResult Receive(RunMessage message, bool hasEnded)
    {
        var received = message.Sender is { } sender ? ReceivedFrom(sender) : 0;
        var refusal = RefusalOf(message, received, hasEnded);
        if (refusal is { } outcome)
            return new(outcome, received);

        if (message.Sender is not null)
            _received.Set(message.Sender, received = message.Number);
        if (message.Key is not null)
            _keys.Set(message.Key, true);
        if (!message.IsWithheld)
            Enqueue(message with { Position = ++_position });
        return new(ReceiveOutcome.Accepted, received);
    }

    /// <summary>Everything that waits after a position. What comes before is done with.</summary>
    public IReadOnlyList<RunMessage> ReadAfter(long position)
    {
        while (_pending.TryPeek(out var oldest) && oldest.Position <= position)
            _pendingBytes -= SizeOf(_pending.Dequeue());
        return _pending.Count == 0 ? [] : _pending.ToArray();
    }

    public void Clear()
    {
        _pending.Clear();
        _pendingBytes = 0;
    }

    private ReceiveOutcome? RefusalOf(RunMessage message, long received, bool hasEnded)
    {
        if (message.Sender is not null && message.Number <= received)
            return ReceiveOutcome.Repeated;
        if (message.Key is not null && _keys.TryGet(message.Key, out _))
            return ReceiveOutcome.Repeated;
        if (hasEnded)
            return ReceiveOutcome.Ended;
        if (message.Sender is not null && message.Number > received + 1)
            return ReceiveOutcome.Hole;
        var fits = _pending.Count == 0 || _pendingBytes + SizeOf(message) <= maxPendingBytes;
        return message.IsWithheld || fits ? null : ReceiveOutcome.Full;
    }

    private void Enqueue(RunMessage message)
    {
        _pending.Enqueue(message);
        _pendingBytes += SizeOf(message);
    }

    private static long SizeOf(RunMessage message) => message.Data.Length + Overhead;
}
