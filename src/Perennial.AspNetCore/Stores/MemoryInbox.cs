namespace Perennial.AspNetCore.Stores;

/// <summary>The messages that wait for the producer of one run, and the state of earlier ones. Not thread safe.</summary>
internal sealed class MemoryInbox(long maxPendingBytes)
{
    private const int RememberedKeys = 10_000;
    private const int RememberedSenders = 1_000;
    private const int RememberedRefusals = 256;     // of a sender: the most messages that a client has under way
    private const int Overhead = 64;

    private readonly Queue<RunMessage> _pending = new();
    private readonly RecentNames<byte[]> _keys = new(RememberedKeys);
    private readonly RecentNames<SenderState> _senders = new(RememberedSenders);
    private long _pendingBytes;
    private long _position;

    public SenderState StateOf(string sender, long firstOpen)
    {
        if (!_senders.TryGet(sender, out var state))
        {
            return new SenderState { Received = 0, Refusals = [] };
        }

        if (state.Refusals.Any(refusal => refusal.Number < firstOpen))
        {
            _senders.Set(sender, state = state with { Refusals = [.. state.Refusals.Where(refusal => refusal.Number >= firstOpen)] });
        }

        return state;
    }

    public ReceiveResult Receive(RunMessage message, bool hasEnded)
    {
        var sender = message.Sender is null ? default : StateOf(message.Sender, firstOpen: 0);
        var (key, fingerprint) = message.Key is null ? default : (KeyOf(message), message.ComputeFingerprint());
        if ((KeyObstacle(key, fingerprint) ?? ObstacleTo(message, sender.Received, hasEnded)) is { } obstacle)
        {
            return new ReceiveResult { Outcome = obstacle, Received = sender.Received };
        }

        if (message.Sender is not null)
        {
            _senders.Set(
                message.Sender, sender = sender with { Received = message.Number, Refusals = WithRefusalOf(message, sender.Refusals) });
        }

        if (key is not null)
        {
            _keys.Set(key, fingerprint!);
        }

        if (message.Refusal is null)
        {
            Enqueue(message with { Position = ++_position });
        }

        return new ReceiveResult { Outcome = ReceiveOutcome.Accepted, Received = sender.Received };
    }

    /// <summary>Returns the messages after a position, and forgets those up to it.</summary>
    public IReadOnlyList<RunMessage> ReadAfter(long position)
    {
        while (_pending.TryPeek(out var oldest) && oldest.Position <= position)
        {
            _pendingBytes -= SizeOf(_pending.Dequeue());
        }

        return _pending.Count == 0 ? [] : _pending.ToArray();
    }

    public void Clear()
    {
        _pending.Clear();
        _pendingBytes = 0;
    }

    private static string KeyOf(RunMessage message) => $"{message.KeyOwner}\n{message.Key}";

    private ReceiveOutcome? KeyObstacle(string? key, byte[]? fingerprint)
    {
        if (key is null || !_keys.TryGet(key, out var known))
        {
            return null;
        }

        return known.AsSpan().SequenceEqual(fingerprint) ? ReceiveOutcome.Repeated : ReceiveOutcome.OtherMessage;
    }

    private ReceiveOutcome? ObstacleTo(RunMessage message, long received, bool hasEnded)
    {
        if (message.Sender is not null && message.Number <= received)
        {
            return ReceiveOutcome.Repeated;
        }

        if (hasEnded)
        {
            return ReceiveOutcome.Ended;
        }

        if (message.Sender is not null && message.Number > received + 1)
        {
            return ReceiveOutcome.Hole;
        }

        var fits = _pending.Count == 0 || _pendingBytes + SizeOf(message) <= maxPendingBytes;
        return message.Refusal is not null || fits ? null : ReceiveOutcome.Full;
    }

    private static IReadOnlyList<RunRefusal> WithRefusalOf(RunMessage message, IReadOnlyList<RunRefusal> refusals) =>
        message.Refusal is null ? refusals : [.. refusals.TakeLast(RememberedRefusals - 1), new RunRefusal
        {
            Number = message.Number,
            Code = message.Refusal,
        }];

    private void Enqueue(RunMessage message)
    {
        _pending.Enqueue(message);
        _pendingBytes += SizeOf(message);
    }

    private static long SizeOf(RunMessage message) => message.Data.Length + Overhead;
}
