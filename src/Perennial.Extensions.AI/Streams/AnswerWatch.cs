namespace Perennial.Streams;

/// <summary>Recognizes the dialect of an answer, and judges by it whether the answer is whole. Used by one reader.</summary>
/// <param name="isAnswer">Whether the body answers a prompt, so that a body without any event is not whole either.</param>
internal sealed class AnswerWatch(bool isAnswer)
{
    private const int FirstEvents = 3;

    private int _left = FirstEvents;
    private DialectSignal _signal;
    private byte[]? _first;

    /// <summary>The dialect, or <see langword="null"/> while none is recognized.</summary>
    public Dialect? Dialect { get; private set; }

    /// <summary>Whether the answer is complete if nothing follows.</summary>
    public bool IsWhole => _signal is DialectSignal.EndMarker or DialectSignal.Last or DialectSignal.MayBeLast;

    /// <summary>Whether the provider has announced an error.</summary>
    public bool HasFailed => _signal == DialectSignal.Failed;

    /// <summary>Whether a clean end of the body now would hide that the answer is not whole.</summary>
    public bool IsUnfinished => Dialect is null ? isAnswer && _first is null : !IsWhole;

    /// <summary>Recognizes a dialect that the head of a response announces.</summary>
    public void Begin(HttpResponseMessage response)
    {
        if (Dialects.Known.FirstOrDefault(known => known.IsAnnouncedBy(response)) is { } announced)
        {
            (Dialect, _left) = (announced, 0);
        }
    }

    /// <summary>Takes the next event into account.</summary>
    public void Observe(string? eventType, ReadOnlySpan<byte> data)
    {
        var message = new DialectMessage(eventType, data);
        _first ??= data.ToArray();
        if (_left > 0)
        {
            _left--;
            Dialect ??= Recognize(in message);
        }

        // The first end or error decides.
        if (Dialect is not null && _signal is DialectSignal.None or DialectSignal.MayBeLast)
        {
            _signal = Dialect!.Judge(in message);
        }
    }

    /// <summary>The events that complete the answer in its dialect, or <see langword="null"/> if they cannot be made up.</summary>
    public IReadOnlyList<DialectEvent>? SpellEnd() =>
        Dialect?.SpellEnd(new DialectProgress { Signal = _signal, First = new DialectMessage(null, _first), Newest = default });

    private static Dialect? Recognize(in DialectMessage message)
    {
        foreach (var known in Dialects.Known)
        {
            if (known.IsShownBy(in message))
            {
                return known;
            }
        }

        return null;
    }
}
