using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>Turns what a WebSocket reports into <see cref="TransportException"/>, and decides there what is transient.</summary>
internal static class WebSocketErrors
{
    /// <summary>Whether an exception says that the socket can be used no more.</summary>
    public static bool IsGone(Exception e) => e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;

    /// <summary>A failed receive: the peer broke the protocol, or the line broke.</summary>
    public static TransportException FromReceive(Exception e) => e switch
    {
        WebSocketException { WebSocketErrorCode: WebSocketError.Faulted or WebSocketError.InvalidMessageType } violation
            when violation.InnerException is null || !IsGone(violation.InnerException) =>
            new(TransportErrorCode.ProtocolViolation, "The peer broke the WebSocket protocol.", false, e),
        _ => new(TransportErrorCode.ConnectionLost, "The connection broke off.", true, e),
    };

    /// <summary>
    /// A close with a reason other than being done (RFC 6455, 7.4.1, and the registry it set up). Going away, failures of the server and
    /// codes of applications may pass; violations, refusals, 3000 and 3003, and 4401 and 4403 (4000 plus an HTTP status) will not.
    /// </summary>
    public static TransportException FromClose(int code)
    {
        var isTransient = code is 1001 or 1005 or 1006 or (>= 1011 and <= 1014) or (>= 3001 and <= 4999) and not (3003 or 4401 or 4403);
        return new TransportException(TransportErrorCode.ClosedByPeer, $"The peer closed the connection with code {code}.", isTransient)
        {
            CloseCode = code,
        };
    }
}
