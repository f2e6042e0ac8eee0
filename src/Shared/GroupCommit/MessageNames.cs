using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Perennial.AspNetCore;

namespace Perennial.GroupCommit;

/// <summary>The names of senders and keys as a database keeps them. A name may be any text of any length.</summary>
internal static class MessageNames
{
    public const int RememberedKeys = 10_000;
    public const int RememberedSenders = 1_000;
    public const int RememberedRefusals = 256;     // of a sender: the most messages that a client has under way

    /// <summary>The number of messages after which a store forgets names beyond these limits.</summary>
    public const int ForgetEvery = 500;

    /// <summary>Returns the key with its owner; null if the message has no key.</summary>
    public static string? KeyOf(RunMessage message) => message is { Key: { } key, KeyOwner: { } owner } ? $"{owner}\n{key}" : message.Key;

    /// <summary>Hashes a name of any text and length, for an index. The hash of null differs from that of any name.</summary>
    public static byte[] HashOf(string? name) => name is null ? [] : SHA256.HashData(MemoryMarshal.AsBytes(name.AsSpan()));

    /// <summary>Encodes a text. Text columns cannot contain NUL, but a name may.</summary>
    public static byte[]? BytesOf(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text);

    /// <summary>Decodes a text.</summary>
    public static string? TextOf(byte[]? bytes) => bytes is null ? null : Encoding.UTF8.GetString(bytes);
}
