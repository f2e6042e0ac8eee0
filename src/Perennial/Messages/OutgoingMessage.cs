namespace Perennial;

/// <summary>A message to be sent to the peer.</summary>
public sealed record OutgoingMessage
{
    /// <summary>Gets the payload: UTF-8 if <see cref="Kind"/> is text or JSON.</summary>
    public required ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Gets the kind of the payload.</summary>
    public required OutgoingKind Kind { get; init; }

    /// <summary>Gets the name of this message, which its repetitions share, so that the peer recognizes them.</summary>
    public required string Key { get; init; }
}
