using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>The exceptions of a WebSocket.</summary>
internal static class SocketErrors
{
    /// <summary>Whether the exception means that the socket cannot be used any more.</summary>
    public static bool IsGone(Exception e) =>
        e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;
}
