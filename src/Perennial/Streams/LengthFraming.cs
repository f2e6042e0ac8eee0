using System.Net.WebSockets;
using Perennial.WebSockets;
using Perennial.Wire;

namespace Perennial.Streams;

/// <summary>Frames with their length before them.</summary>
internal sealed class LengthFraming : ISocketFraming
{
    public static LengthFraming Instance { get; } = new();

    public WebSocket Open(Stream stream) => new FramedSocket(stream);

    public byte[] NewPing() => FramedSocket.NewPing();
}
