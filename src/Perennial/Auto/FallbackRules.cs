using System.Net;

namespace Perennial.Auto;

/// <summary>
/// Tells a protocol that does not get through from a server that says no. Touches no I/O. What every protocol would meet, such as a host
/// that cannot be reached or credentials that are refused, is no reason to try another.
/// </summary>
internal static class FallbackRules
{
    /// <summary>Why another protocol is worth a try after this error; <see langword="null"/> where it is the answer.</summary>
    public static FallbackReason? ReasonFor(TransportException error, AutoProtocol protocol) => error.Code switch
    {
        TransportErrorCode.HttpStatus when error.RetryAfter is null && IsAboutTheProtocol(error.HttpStatus!.Value, protocol) => FallbackReason.Refused,
        TransportErrorCode.UnexpectedContentType or TransportErrorCode.ProtocolViolation => FallbackReason.NotSpoken,
        TransportErrorCode.ConnectionLost or TransportErrorCode.EndedWithoutMarker => FallbackReason.Lost,
        TransportErrorCode.ConnectTimeout => FallbackReason.TimedOut,
        TransportErrorCode.IdleTimeout => FallbackReason.Silent,
        _ => null,
    };

    /// <summary>
    /// A handshake is refused with all sorts of statuses, by servers that route only plain requests and by proxies that let nothing else
    /// pass; what is said of the resource itself, the next protocol will hear as well and take for the answer. Among plain requests only
    /// the wish differs, and for how long an answer may go on: a proxy that waits for the end of a stream gives up with 502 or 504.
    /// </summary>
    private static bool IsAboutTheProtocol(HttpStatusCode status, AutoProtocol protocol) => protocol == AutoProtocol.WebSocket
        ? status is not (HttpStatusCode.Unauthorized or HttpStatusCode.ProxyAuthenticationRequired or HttpStatusCode.Gone or HttpStatusCode.TooManyRequests)
        : status is HttpStatusCode.BadRequest or HttpStatusCode.NotAcceptable or HttpStatusCode.UnsupportedMediaType
            or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout;
}
