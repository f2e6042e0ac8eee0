namespace Perennial.Auto;

/// <summary>Why a protocol was passed over.</summary>
/// <param name="Protocol">Which.</param>
/// <param name="Reason">Why.</param>
/// <param name="Error">What was seen of it.</param>
public sealed record ProtocolFailure(AutoProtocol Protocol, FallbackReason Reason, TransportException Error);

/// <summary>Why a protocol was passed over, for programs.</summary>
public enum FallbackReason
{
    /// <summary>It was answered with a status that another protocol may not meet: see <see cref="TransportException.HttpStatus"/>.</summary>
    Refused,

    /// <summary>The answer is of another protocol: a wrong handshake, a content type that it does not speak.</summary>
    NotSpoken,

    /// <summary>The connection broke off in the handshake, or once it stood, before a byte came.</summary>
    Lost,

    /// <summary>There was no answer within <see cref="AutoTransportOptions.AttemptTimeout"/>.</summary>
    TimedOut,

    /// <summary>The server promised a sign of life, and none came: something on the way holds it back.</summary>
    Silent,

    /// <summary>The stream has a resume point, and the server's WebSocket does not speak <c>perennial.v1</c>: it would start again.</summary>
    CannotResume,
}
