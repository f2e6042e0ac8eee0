using System.Net.WebSockets;

namespace Perennial.WebSockets;

/// <summary>The way in which messages become bytes of a stream: frames of RFC 6455, or frames with a length before them.</summary>
internal interface ISocketFraming
{
    /// <summary>Creates the socket that reads and writes messages over a stream. It writes each frame in one call.</summary>
    WebSocket Open(Stream stream);

    /// <summary>Creates a frame that asks the peer for a sign of life.</summary>
    byte[] NewPing();
}
