using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>Converts errors of a WebSocket to <see cref="TransportException"/>, and decides whether they are transient.</summary>
internal static class WebSocketErrors
{
    /// <summary>The close code for a connection that ended without a close frame (RFC 6455, section 7.1.5).</summary>
    private const int AbnormalClosure = 1006;

    /// <summary>Whether the exception means that the socket cannot be used any more.</summary>
    public static bool IsGone(Exception e) =>
        e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;

    /// <summary>Converts a failed receive: the peer violated the protocol, or the connection was interrupted.</summary>
    public static TransportException FromReceive(Exception e) => e switch
    {
        WebSocketException { WebSocketErrorCode: WebSocketError.Faulted or WebSocketError.InvalidMessageType } violation
            when violation.InnerException is null || !IsGone(violation.InnerException) =>
            new(TransportErrorCode.ProtocolViolation, "The peer violated the protocol.", false, e),
        _ => new(TransportErrorCode.ConnectionLost, "The connection was interrupted without a close frame.", true, e)
        {
            CloseCode = AbnormalClosure,
        },
    };

    /// <summary>Converts a close with a code other than normal closure (RFC 6455, section 7.4.1).</summary>
    public static TransportException FromClose(int code, bool isTransient) =>
        new(TransportErrorCode.ClosedByPeer, $"The peer closed the connection with code {code}.", isTransient) { CloseCode = code };
}
