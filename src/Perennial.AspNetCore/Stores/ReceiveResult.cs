namespace Perennial.AspNetCore.Stores;

/// <summary>What became of a message.</summary>
public readonly record struct ReceiveResult
{
    /// <summary>Gets whether the message was taken.</summary>
    public required ReceiveOutcome Outcome { get; init; }

    /// <summary>Gets the number up to which all messages of this sender were received; 0 for a message without a sender.</summary>
    public long Received { get; init; }
}

/// <summary>Whether a message was taken. Where several hold, the first of them is told.</summary>
public enum ReceiveOutcome
{
    /// <summary>It is recorded and will reach the producer, if the run does not end before. Of a refused one, its number is used up.</summary>
    Accepted,

    /// <summary>It was taken before, and is not taken again.</summary>
    /// <remarks>
    /// Stores remember at least the last 10,000 keys and the last 1,000 senders of a run, by when they were last seen, and no longer than the
    /// run itself.
    /// </remarks>
    Repeated,

    /// <summary>A message with other data has the key (<see cref="RunMessage.ComputeFingerprint"/>). This one is not taken.</summary>
    OtherMessage,

    /// <summary>The run was created without <c>takesMessages</c>.</summary>
    NotTaken,

    /// <summary>The run has ended.</summary>
    Ended,

    /// <summary>A message of this sender with a lower number is missing. This one is not taken.</summary>
    Hole,

    /// <summary>More wait for the producer than <see cref="PerennialServerOptions.MaxPendingMessageBytes"/> allows. Sending it later may work.</summary>
    Full,
}

/// <summary>What is known of a sender.</summary>
public readonly record struct SenderState
{
    /// <summary>Gets the number up to which all messages were received; 0 for a sender that is unknown or forgotten.</summary>
    public required long Received { get; init; }

    /// <summary>
    /// Gets the messages that were refused and whose sender may not know it, by their numbers: at least the last 256, as many as a
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
