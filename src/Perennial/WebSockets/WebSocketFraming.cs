using System.Net.WebSockets;
using System.Security.Cryptography;

namespace Perennial.WebSockets;

/// <summary>Frames of RFC 6455.</summary>
/// <param name="creation">The options that the handshake agreed on.</param>
internal sealed class WebSocketFraming(WebSocketCreationOptions creation) : ISocketFraming
{
    public WebSocket Open(Stream stream) => WebSocket.CreateFromStream(stream, creation);

    /// <summary>An empty ping (RFC 6455, section 5.5.2), masked as all frames of a client are (section 5.3).</summary>
    public byte[] NewPing()
    {
        var frame = new byte[] { 0x89, 0x80, 0, 0, 0, 0 };
        RandomNumberGenerator.Fill(frame.AsSpan(2));
        return frame;
    }
}
