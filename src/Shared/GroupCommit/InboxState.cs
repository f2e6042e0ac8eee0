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

        if (message.Sender is not null && message.Number <= Received)
        {
            return ReceiveOutcome.Repeated;
        }

        if (!TakesMessages)
        {
            return ReceiveOutcome.NotTaken;
        }

        if (Status != RunStatus.Running)
        {
            return ReceiveOutcome.Ended;
        }

        if (message.Sender is not null && message.Number > Received + 1)
        {
            return ReceiveOutcome.Hole;
        }

        var fits = Pending == 0 || Pending + message.Data.Length + Overhead <= maxPendingBytes;
        return message.Refusal is not null || fits ? ReceiveOutcome.Accepted : ReceiveOutcome.Full;
    }
}
