namespace Perennial.Http;

/// <summary>
/// The dialect of one transport's stream over all its connections: the streaming format of an AI provider, which decides when the stream is
/// complete. The caller chooses it, or it is recognized from a response and its first messages. Used by the connection loop only.
/// </summary>
/// <param name="choice">The dialect in the transport's options.</param>
internal sealed class StreamDialect(Dialect choice)
{
    private const int FirstMessages = 3;

    private Dialect? _dialect = choice == Dialects.Recognized || choice == Dialects.None ? null : choice;
    private int _left = choice == Dialects.Recognized ? FirstMessages : 0;
    private bool _mayEnd;

    /// <summary>Whether the stream has a dialect whose end was not seen, so that a response that ends is not complete.</summary>
    public bool IsUnfinished => _dialect is not null && !_mayEnd;

    /// <summary>Whether a dialect is known, or may still be recognized.</summary>
    public bool MayDecide => _dialect is not null || _left > 0;

    /// <summary>The dialect; <see langword="null"/> if none is known yet.</summary>
    public Dialect? Dialect => _dialect;

    /// <summary>Starts reading a response. Recognizes a dialect that the head of the response announces.</summary>
    public void Begin(HttpResponseMessage response)
    {
        _mayEnd = false;
        if (_left > 0 && Dialects.Known.FirstOrDefault(known => known.IsAnnouncedBy(response)) is { } announced)
        {
            (_dialect, _left) = (announced, 0);
        }
    }

    /// <summary>Recognizes the dialect from the first messages, before they are classified.</summary>
    public void Look(ReadOnlySpan<StreamMessage> messages)
    {
        var left = _left;
        for (var i = 0; i < messages.Length && _left > 0; i++)
        {
            Recognize(in messages[i]);
        }

        _left = _dialect is null ? left : 0;
    }

    /// <summary>Returns the signal of a message, or <see langword="null"/> if no dialect is known.</summary>
    public StreamSignal? Classify(in StreamMessage message)
    {
        if (_left > 0)
        {
            Recognize(in message);
        }

        return _dialect is null ? null : Judge(_dialect, in message);
    }

    private StreamSignal Judge(Dialect dialect, in StreamMessage message)
    {
        switch (dialect.Judge(MessageOf(in message)))
        {
            case DialectSignal.EndMarker:
                return StreamSignal.Completed;
            case DialectSignal.Last:
                return StreamSignal.DeliveredThenCompleted;
            case DialectSignal.Failed:
                return StreamSignal.Failed;
            case DialectSignal.MayBeLast:
                _mayEnd = true;
                return StreamSignal.None;
            default:
                return StreamSignal.None;
        }
    }

    private void Recognize(in StreamMessage message)
    {
        _left--;
        foreach (var known in Dialects.Known)
        {
            if (known.IsShownBy(MessageOf(in message)))
            {
                (_dialect, _left) = (known, 0);
                return;
            }
        }
    }

    private static DialectMessage MessageOf(in StreamMessage message) =>
        new(message.NamesItsEventType ? message.EventType : null, message.Bytes);
}
