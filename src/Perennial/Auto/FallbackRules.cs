using System.Net;

namespace Perennial.Auto;

/// <summary>
/// Decides whether an error is a reason to try another protocol. An error that every protocol would meet, such as an unreachable host or
/// refused credentials, is not. Performs no I/O.
/// </summary>
internal static class FallbackRules
{
    /// <summary>
    /// Returns why another protocol may succeed after this error. <see langword="null"/> if the error applies to every protocol.
    /// </summary>
    public static FallbackReason? ReasonFor(TransportException error, AutoProtocol protocol) => error.Code switch
    {
        TransportErrorCode.HttpStatus when error.RetryAfter is null && IsAboutTheProtocol(error.HttpStatus!.Value, protocol) =>
            FallbackReason.Refused,
        TransportErrorCode.UnexpectedContentType or TransportErrorCode.ProtocolViolation => FallbackReason.NotSpoken,
        TransportErrorCode.ConnectionLost or TransportErrorCode.EndedWithoutMarker => FallbackReason.Lost,
        TransportErrorCode.ConnectTimeout => FallbackReason.TimedOut,
        TransportErrorCode.IdleTimeout => FallbackReason.Silent,
        _ => null,
    };

    /// <summary>
    /// A WebSocket handshake is refused with many statuses: by servers that route only plain requests, and by proxies that block other
    /// traffic. If the status concerns the resource itself, the next protocol gets it too and ends the attempt. Plain requests differ only
    /// in the accepted types and in how long a response lasts: a proxy that waits for the end of a stream gives up with 502 or 504.
    /// </summary>
    private static bool IsAboutTheProtocol(HttpStatusCode status, AutoProtocol protocol) => protocol == AutoProtocol.WebSocket
        ? status is not (HttpStatusCode.Unauthorized or HttpStatusCode.ProxyAuthenticationRequired or HttpStatusCode.Gone or HttpStatusCode.TooManyRequests)
        : status is HttpStatusCode.BadRequest or HttpStatusCode.NotAcceptable or HttpStatusCode.UnsupportedMediaType
            or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;
}
