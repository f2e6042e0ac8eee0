namespace Perennial;

/// <summary>What a transport needs to know to open its next connection.</summary>
/// <param name="Attempt">0 for the first try, then the number of the reconnect attempt.</param>
/// <param name="LastEventId">The id after which the stream is to go on, or <see langword="null"/> for its start.</param>
/// <param name="HasDelivered">Whether a message was handed over since the transport was made.</param>
public readonly record struct ConnectContext(int Attempt, string? LastEventId, bool HasDelivered)
{
    /// <summary>The attempt, and whether it resumes, without the id: safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ConnectContext)} {{ {nameof(Attempt)} = {Attempt}, resumes = {LastEventId is not null}, {nameof(HasDelivered)} = {HasDelivered} }}";
}
