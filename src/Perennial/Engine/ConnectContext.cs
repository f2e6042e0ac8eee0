namespace Perennial;

/// <summary>The context in which a transport opens its next connection.</summary>
/// <param name="Attempt">0 for the first attempt, then the number of the reconnect attempt.</param>
/// <param name="LastEventId">The id after which to resume, or <see langword="null"/> for the start of the stream.</param>
/// <param name="HasDelivered">Whether the transport has delivered a message since it was created.</param>
public readonly record struct ConnectContext(int Attempt, string? LastEventId, bool HasDelivered)
{
    /// <summary>Returns the attempt and whether it resumes, without the id. Safe to log.</summary>
    public override string ToString() =>
        $"{nameof(ConnectContext)} {{ {nameof(Attempt)} = {Attempt}, resumes = {LastEventId is not null}, {nameof(HasDelivered)} = {HasDelivered} }}";
}
