using Perennial.AspNetCore;
using Perennial.AspNetCore.Stores;

namespace Perennial.GroupCommit;

/// <summary>The recorded state of a run's inbox when a message arrives.</summary>
internal readonly record struct InboxState
{
    /// <summary>The bytes that a waiting message takes in addition to its data.</summary>
    public const long Overhead = 64;

    public required bool TakesMessages { get; init; }

    public required RunStatus Status { get; init; }

    /// <summary>The bytes of the messages that wait.</summary>
    public required long Pending { get; init; }

    /// <summary>How many messages have arrived.</summary>
    public required long Seen { get; init; }

    /// <summary>The last number received from the sender.</summary>
    public required long Received { get; init; }

    /// <summary>The fingerprint of the message with this key; null for none, empty if it is unknown.</summary>
    public required byte[]? KnownFingerprint { get; init; }

    /// <summary>Returns the outcome for the message.</summary>
    public ReceiveOutcome Judge(RunMessage message, long maxPendingBytes)
    {
        if (message.Key is not null && KnownFingerprint is { } known)
        {
            return known.Length == 0 || known.AsSpan().SequenceEqual(message.ComputeFingerprint())
                ? ReceiveOutcome.Repeated
                : ReceiveOutcome.OtherMessage;
        }

        var isNumbered = message.Sender is not null;
        var fits = Pending == 0 || Pending + message.Data.Length + Overhead <= maxPendingBytes;
        return isNumbered && message.Number <= Received ? ReceiveOutcome.Repeated
            : !TakesMessages ? ReceiveOutcome.NotTaken
            : Status != RunStatus.Running ? ReceiveOutcome.Ended
            : isNumbered && message.Number > Received + 1 ? ReceiveOutcome.Hole
            : message.Refusal is not null || fits ? ReceiveOutcome.Accepted
            : ReceiveOutcome.Full;
    }
}
