namespace Perennial.AspNetCore.Stores;

/// <summary>The outcome of a message.</summary>
public readonly record struct ReceiveResult
{
    /// <summary>Gets whether the message was accepted.</summary>
    public required ReceiveOutcome Outcome { get; init; }

    /// <summary>Gets the number up to which all messages of this sender were received; 0 for a message without a sender.</summary>
    public long Received { get; init; }
}

/// <summary>Whether a message was accepted. If several values apply, the first of them is returned.</summary>
public enum ReceiveOutcome
{
    /// <summary>
    /// The message is recorded and will reach the producer, unless the run ends before. The number of a refused message is used up.
    /// </summary>
    Accepted,

    /// <summary>The message is a repeat of an accepted one, and is not accepted again.</summary>
    /// <remarks>
    /// Stores remember at least the 10,000 keys and the 1,000 senders of a run that were used last, and no longer than the run itself.
    /// </remarks>
    Repeated,

    /// <summary>
    /// Another message, with other data, has the key (<see cref="RunMessage.ComputeFingerprint"/>). This one is not accepted.
    /// </summary>
    OtherMessage,

    /// <summary>The run was created without <c>takesMessages</c>.</summary>
    NotTaken,

    /// <summary>The run has ended.</summary>
    Ended,

    /// <summary>A message of this sender with a lower number is missing. This one is not accepted.</summary>
    Hole,

    /// <summary>
    /// More messages wait for the producer than <see cref="PerennialServerOptions.MaxPendingMessageBytes"/> allows. A later attempt may
    /// succeed.
    /// </summary>
    Full,
}
