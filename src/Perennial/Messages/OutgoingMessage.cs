namespace Perennial;

/// <summary>One message on its way to the peer.</summary>
/// <param name="Data">The payload: UTF-8 where <paramref name="Kind"/> is text or JSON.</param>
/// <param name="Kind">What the payload is.</param>
/// <param name="Key">Names this message across repetitions, so that the peer can recognise one it has seen.</param>
public sealed record OutgoingMessage(ReadOnlyMemory<byte> Data, OutgoingKind Kind, string Key);

/// <summary>What the payload of an <see cref="OutgoingMessage"/> is.</summary>
public enum OutgoingKind
{
    /// <summary>UTF-8 text.</summary>
    Text,

    /// <summary>UTF-8 JSON.</summary>
    Json,

    /// <summary>Bytes.</summary>
    Binary,
}

/// <summary>What is known of a message that was sent without an error.</summary>
public enum SendOutcome
{
    /// <summary>It left this machine. Whether it arrived is not known.</summary>
    Sent,

    /// <summary>The peer confirmed it.</summary>
    Acknowledged,
}
