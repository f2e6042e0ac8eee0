namespace Perennial.Auto;

/// <summary>A protocol that was skipped, and the reason.</summary>
public sealed record ProtocolFailure
{
    /// <summary>Gets the protocol.</summary>
    public required AutoProtocol Protocol { get; init; }

    /// <summary>Gets why it was passed over, for programs.</summary>
    public required FallbackReason Reason { get; init; }

    /// <summary>Gets the error of its attempt.</summary>
    public required TransportException Error { get; init; }
}

/// <summary>Specifies why a protocol was skipped.</summary>
public enum FallbackReason
{
    /// <summary>
    /// The server responded with a status that another protocol may not get; see <see cref="TransportException.HttpStatus"/>.
    /// </summary>
    Refused,

    /// <summary>
    /// The response belongs to another protocol: the handshake is wrong, or the content type is not one of this protocol.
    /// </summary>
    NotSpoken,

    /// <summary>The connection was interrupted during the handshake, or after it but before the first byte.</summary>
    Lost,

    /// <summary>No response arrived within <see cref="AutoTransportOptions.AttemptTimeout"/>.</summary>
    TimedOut,

    /// <summary>The server promised to send at once, but no byte arrived: a proxy may hold the bytes back.</summary>
    Silent,

    /// <summary>
    /// The stream has a resume point, and the server's WebSocket does not speak <c>perennial.v1</c>: it would start the stream again.
    /// </summary>
    CannotResume,
}
