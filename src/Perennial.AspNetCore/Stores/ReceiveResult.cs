namespace Perennial.AspNetCore.Stores;

/// <summary>What became of a message.</summary>
/// <param name="Outcome">Whether it was taken.</param>
/// <param name="Received">The number up to which everything from this sender has been received; 0 for a message without a sender.</param>
public readonly record struct ReceiveResult(ReceiveOutcome Outcome, long Received = 0);

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
/// <param name="Received">The number up to which everything has been received; 0 for a sender that is unknown or forgotten.</param>
/// <param name="Refusals">The messages that were refused and may not have been told to it, by their numbers; the last 256 at least, as many as a client has under way.</param>
public readonly record struct SenderState(long Received, IReadOnlyList<RunRefusal> Refusals);

/// <summary>A message that was refused.</summary>
/// <param name="Number">Its number among the messages of its sender.</param>
/// <param name="Code">Why, in a word.</param>
public readonly record struct RunRefusal(long Number, string Code);
