namespace Perennial.WebSockets;

/// <summary>The functions of a WebSocket connection that its parts use.</summary>
internal interface ISocketOwner
{
    /// <summary>Records that bytes arrived.</summary>
    void OnBytes(int count);

    /// <summary>Sends a ping to the peer. Does not throw.</summary>
    Task PingAsync();
}
