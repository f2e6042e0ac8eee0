using System.Net.WebSockets;

namespace Perennial.AspNetCore.WebSockets;

/// <summary>Closes a socket, and waits for the peer's answer no longer than a limit.</summary>
internal static class SocketClose
{
    /// <summary>How long a peer may take for what is left to say when it is over. See <see cref="Clock"/>.</summary>
    public static TimeSpan Limit { get; } = TimeSpan.FromSeconds(2);

    /// <summary>
    /// What measures a goodbye. It is the network's and the host's time, so it is the system's clock: a host on a clock that stands still has to
    /// stop too.
    /// </summary>
    public static TimeProvider Clock => TimeProvider.System;

    /// <summary>Aborts the socket when a goodbye takes too long, unless the timer is stopped before.</summary>
    public static ITimer AbortAtLimit(WebSocket socket) =>
        Clock.CreateTimer(static socket => ((WebSocket)socket!).Abort(), socket, Limit, Timeout.InfiniteTimeSpan);

    /// <summary>Says goodbye, and waits until the peer has answered or is gone. One that does neither in time is left.</summary>
    /// <param name="socket">The socket.</param>
    /// <param name="code">Why.</param>
    /// <param name="reading">Completes when nothing more will be received.</param>
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
