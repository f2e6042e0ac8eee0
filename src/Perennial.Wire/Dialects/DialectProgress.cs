namespace Perennial;

/// <summary>The events of a stream so far, as a <see cref="Dialect"/> needs them to make up an end or an error.</summary>
public readonly ref struct DialectProgress
{
    /// <summary>Gets what the events mean together: the first end or error, or else the signal of the newest event.</summary>
    public DialectSignal Signal { get; init; }

    /// <summary>Gets the first event. Its data is empty if there is none.</summary>
    public DialectMessage First { get; init; }

    /// <summary>Gets the newest event. Its data is empty if there is none.</summary>
    public DialectMessage Newest { get; init; }

    /// <summary>Gets whether the events are a complete stream, also if the response ends now.</summary>
    public bool IsComplete => Signal is DialectSignal.EndMarker or DialectSignal.Last or DialectSignal.MayBeLast;
}
