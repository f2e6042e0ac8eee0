using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Closes a socket, and waits for the peer's close frame up to a limit.</summary>
internal static class SocketClose
{
    /// <summary>The longest time for the last messages and the peer's close frame. Measured by <see cref="Clock"/>.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// The clock for closing. It is the system's clock, because the network uses real time: a host whose own clock stands still must stop
    /// too.
    /// </summary>
    public static TimeProvider Clock => TimeProvider.System;

    /// <summary>Aborts the socket when closing takes too long, unless the timer is stopped before.</summary>
    public static ITimer AbortAtLimit(WebSocket socket) =>
        Clock.CreateTimer(static socket => ((WebSocket)socket!).Abort(), socket, Limit, Timeout.InfiniteTimeSpan);

    /// <summary>Sends the close frame, and waits until the peer has answered or is gone, up to the limit.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="code">The close code.</param>
    /// <param name="reading">Completes when the peer sends nothing more.</param>
    public static async Task CloseAsync(WebSocket socket, int code, Task reading)
    {
        await using var limit = AbortAtLimit(socket);
        try
        {
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                await socket.CloseOutputAsync((WebSocketCloseStatus)code, statusDescription: null, CancellationToken.None);
            }
        }
        catch (Exception e) when (SocketErrors.IsGone(e))
        {
            socket.Abort();
        }

        await reading;
    }
}
