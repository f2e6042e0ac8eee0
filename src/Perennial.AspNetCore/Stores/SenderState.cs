namespace Perennial.AspNetCore.Stores;

/// <summary>The state of a sender.</summary>
public readonly record struct SenderState
{
    /// <summary>Gets the number up to which all messages were received; 0 for a sender that is unknown or forgotten.</summary>
    public required long Received { get; init; }

    /// <summary>
    /// Gets the refused messages whose refusal the sender may not have received, by their numbers: at least the last 256, the most that a
    /// client has under way.
    /// </summary>
    public required IReadOnlyList<RunRefusal> Refusals { get; init; }
}

/// <summary>A message that was refused.</summary>
public readonly record struct RunRefusal
{
    /// <summary>Gets its number among the messages of its sender.</summary>
    public required long Number { get; init; }

    /// <summary>Gets the reason, as a code of one word.</summary>
    public required string Code { get; init; }
}
