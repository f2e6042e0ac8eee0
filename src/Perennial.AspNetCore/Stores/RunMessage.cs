namespace Perennial.AspNetCore.Stores;

/// <summary>A message from a client to the producer of a run. Immutable.</summary>
/// <remarks>
/// A message that may be sent twice is told from others either by <see cref="Sender"/> and <see cref="Number"/>, or by <see cref="Key"/>.
/// One with neither is new each time.
/// </remarks>
public sealed record RunMessage
{
    /// <summary>The payload: UTF-8, unless <see cref="IsBinary"/>.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Whether the payload is bytes that need not be text.</summary>
    public bool IsBinary { get; init; }

    /// <summary>Who sent it; null where it has no number.</summary>
    public string? Sender { get; init; }

    /// <summary>Its number among the messages of its sender, from 1 without holes.</summary>
    public long Number { get; init; }

    /// <summary>What its repetitions have in common and no other message to this run has; null where it has none.</summary>
    public string? Key { get; init; }

    /// <summary>
    /// Why it is refused, in a word; null where it is not. A refused message uses up its number and is remembered for its sender
    /// (<see cref="IRunLog.GetSenderAsync"/>); the producer does not see it.
    /// </summary>
    public string? Refusal { get; init; }

    /// <summary>Its place among all messages to the run, from 1 in the order of recording. Given by the store.</summary>
    public long Position { get; init; }
}

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

    /// <summary>The run has ended.</summary>
    Ended,

    /// <summary>A message of this sender with a lower number is missing. This one is not taken.</summary>
    Hole,

    /// <summary>More wait for the producer than <see cref="PerennialServerOptions.MaxPendingMessageBytes"/> allows. Sending it later may work.</summary>
    Full,
}

/// <summary>What is known of a sender.</summary>
/// <param name="Received">The number up to which everything has been received; 0 for a sender that is unknown or forgotten.</param>
/// <param name="Refusals">The messages that were refused and may not have been told to it, by their numbers; the last 100 at least.</param>
public readonly record struct SenderState(long Received, IReadOnlyList<RunRefusal> Refusals);

/// <summary>A message that was refused.</summary>
/// <param name="Number">Its number among the messages of its sender.</param>
/// <param name="Code">Why, in a word.</param>
public readonly record struct RunRefusal(long Number, string Code);
