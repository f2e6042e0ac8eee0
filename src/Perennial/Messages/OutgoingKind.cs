namespace Perennial;

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
