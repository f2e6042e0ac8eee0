namespace Perennial;

/// <summary>The context in which a transport opens its next connection.</summary>
public readonly record struct ConnectContext
{
    /// <summary>Gets the number of the attempt: 0 for the first try, then the number of the reconnect attempt.</summary>
    public required int Attempt { get; init; }

    /// <summary>Gets the id after which the stream is to go on, or <see langword="null"/> for its start.</summary>
    public string? LastEventId { get; init; }

    /// <summary>Gets whether a message was handed over since the transport was created.</summary>
    public required bool HasDelivered { get; init; }

    /// <summary>Returns the attempt and whether it resumes, without the id. Safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ConnectContext)} {{ {nameof(Attempt)} = {Attempt}, resumes = {LastEventId is not null}, {nameof(HasDelivered)} = {HasDelivered} }}";
}
