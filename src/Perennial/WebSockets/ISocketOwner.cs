namespace Perennial.WebSockets;

/// <summary>What the parts of a WebSocket connection tell it and ask of it.</summary>
internal interface ISocketOwner
{
    /// <summary>So many bytes came.</summary>
    void OnBytes(int count);

    /// <summary>Asks the peer for a sign of life. Does not throw.</summary>
    Task PingAsync();
}
