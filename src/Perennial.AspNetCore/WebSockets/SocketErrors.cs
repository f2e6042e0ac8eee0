using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>What a WebSocket throws.</summary>
internal static class SocketErrors
{
    /// <summary>Whether it says that the socket can be used no more.</summary>
    public static bool IsGone(Exception e) =>
        e is WebSocketException or IOException or ObjectDisposedException or InvalidOperationException or OperationCanceledException;
}
