using System.Security.Cryptography;
using System.Text;

namespace Perennial.AspNetCore;

/// <summary>A message from a client to the producer of a run. Immutable.</summary>
/// <remarks>
/// A message that may be sent twice is told from others either by <see cref="Sender"/> and <see cref="Number"/>, or by <see cref="Key"/>.
/// One with neither is new each time.
/// </remarks>
public sealed record RunMessage
{
    /// <summary>The payload: UTF-8, unless <see cref="IsBinary"/>.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>The payload as text.</summary>
    public string Text => Encoding.UTF8.GetString(Data.Span);

    /// <summary>Whether the payload is bytes that need not be text.</summary>
    public bool IsBinary { get; init; }

    /// <summary>Who sent it; null where it has no number.</summary>
    public string? Sender { get; init; }

    /// <summary>Its number among the messages of its sender, from 1 without holes.</summary>
    public long Number { get; init; }

    /// <summary>What its repetitions have in common and no other message of <see cref="KeyOwner"/> to this run has; null where it has none.</summary>
    public string? Key { get; init; }

    /// <summary>Whose key it is, as a hash; null where all senders share their keys. The same key of another owner is another key.</summary>
    public string? KeyOwner { get; init; }

    /// <summary>Computes what two messages with the same key must have in common: a hash of their data and kind, 32 bytes.</summary>
    public byte[] ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([IsBinary ? (byte)1 : (byte)0]);
        hash.AppendData(Data.Span);
        return hash.GetHashAndReset();
    }

    /// <summary>
    /// Why it is refused, in a word; null where it is not. A refused message uses up its number and is remembered for its sender
    /// (<see cref="Stores.RunLog.GetSenderAsync"/>); the producer does not see it.
    /// </summary>
    public string? Refusal { get; init; }

    /// <summary>Its place among all messages to the run, from 1 in the order of recording. Given by the store.</summary>
    public long Position { get; init; }
}
