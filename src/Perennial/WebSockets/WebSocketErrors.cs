using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>Turns what a WebSocket reports into <see cref="TransportException"/>, and decides there what is transient.</summary>
internal static class WebSocketErrors
{
    /// <summary>What stands for a close that never came (RFC 6455, 7.1.5).</summary>
    private const int AbnormalClosure = 1006;

    /// <summary>Whether an exception says that the socket can be used no more.</summary>
    public static bool IsGone(Exception e) => e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;

    /// <summary>A failed receive: the peer broke the protocol, or the line broke.</summary>
    public static TransportException FromReceive(Exception e) => e switch
    {
        WebSocketException { WebSocketErrorCode: WebSocketError.Faulted or WebSocketError.InvalidMessageType } violation
            when violation.InnerException is null || !IsGone(violation.InnerException) =>
            new(TransportErrorCode.ProtocolViolation, "The peer broke the WebSocket protocol.", false, e),
        _ => new(TransportErrorCode.ConnectionLost, "The connection broke off without a close.", true, e) { CloseCode = AbnormalClosure },
    };

    /// <summary>A close with a reason other than being done (RFC 6455, 7.4.1).</summary>
    public static TransportException FromClose(int code, bool isTransient) =>
        new(TransportErrorCode.ClosedByPeer, $"The peer closed the connection with code {code}.", isTransient) { CloseCode = code };
}
