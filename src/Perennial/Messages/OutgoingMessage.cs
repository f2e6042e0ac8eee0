namespace Perennial;

/// <summary>A message to be sent to the peer.</summary>
/// <param name="Data">The payload. UTF-8 if <paramref name="Kind"/> is text or JSON.</param>
/// <param name="Kind">The kind of the payload.</param>
/// <param name="Key">
/// The key of the message. It stays the same when the message is sent again, so that the peer can recognize the repetition.
/// </param>
public sealed record OutgoingMessage(ReadOnlyMemory<byte> Data, OutgoingKind Kind, string Key);

/// <summary>Specifies the kind of the payload of an <see cref="OutgoingMessage"/>.</summary>
public enum OutgoingKind
{
    /// <summary>UTF-8 text.</summary>
    Text,

    /// <summary>UTF-8 JSON.</summary>
    Json,

    /// <summary>Arbitrary bytes.</summary>
    Binary,
}

/// <summary>Specifies the outcome of a successful send.</summary>
public enum SendOutcome
{
    /// <summary>The message left this machine. Whether it arrived is unknown.</summary>
    Sent,

    /// <summary>The peer confirmed that it received the message.</summary>
    Acknowledged,
}
