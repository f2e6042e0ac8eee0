using System.Security.Cryptography;
using System.Text;

namespace Perennial.AspNetCore;

/// <summary>A message from a client to the producer of a run. Immutable.</summary>
/// <remarks>
/// A message that may be sent twice is identified either by <see cref="Sender"/> and <see cref="Number"/>, or by <see cref="Key"/>. A
/// message with neither is new each time.
/// </remarks>
public sealed record RunMessage
{
    /// <summary>Gets the payload: UTF-8, unless <see cref="IsBinary"/> is true.</summary>
    public ReadOnlyMemory<byte> Data { get; init; }

    /// <summary>Gets the payload as text.</summary>
    public string Text => Encoding.UTF8.GetString(Data.Span);

    /// <summary>Gets whether the payload is binary.</summary>
    public bool IsBinary { get; init; }

    /// <summary>Gets the sender; null if the message has no number.</summary>
    public string? Sender { get; init; }

    /// <summary>Gets its number among the messages of its sender, from 1 without holes.</summary>
    public long Number { get; init; }

    /// <summary>
    /// Gets the key, which is equal in repeats of the message and in no other message of <see cref="KeyOwner"/> to this run; null if it has
    /// none.
    /// </summary>
    public string? Key { get; init; }

    /// <summary>
    /// Gets the owner of the key, as a hash; null if all senders share their keys. The same key of another owner is another key.
    /// </summary>
    public string? KeyOwner { get; init; }

    /// <summary>Computes a hash of the data and kind, 32 bytes. Two messages with the same key must have the same hash.</summary>
    public byte[] ComputeFingerprint()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData([IsBinary ? (byte)1 : (byte)0]);
        hash.AppendData(Data.Span);
        return hash.GetHashAndReset();
    }

    /// <summary>
    /// Gets the code of a refusal; null if the message is not refused. A refused message uses up its number and is remembered for its
    /// sender (<see cref="Stores.RunLog.GetSenderAsync"/>). The producer does not get it.
    /// </summary>
    public string? Refusal { get; init; }

    /// <summary>Gets its place among all messages to the run, from 1 in the order of recording. The store sets it.</summary>
    public long Position { get; init; }
}
