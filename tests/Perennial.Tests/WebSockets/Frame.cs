using System.Buffers.Binary;
using System.Text;

namespace Perennial.Tests.WebSockets;

/// <summary>One frame as RFC 6455, 5.2 draws it, right or wrong, as a server writes or reads it.</summary>
/// <param name="Opcode">What it is: 0 continuation, 1 text, 2 binary, 8 close, 9 ping, 10 pong.</param>
/// <param name="Payload">What it carries, unmasked.</param>
internal sealed record Frame(int Opcode, byte[] Payload)
{
    public bool IsLast { get; init; } = true;

    /// <summary>The three bits kept for extensions, as they stand in the first byte.</summary>
    public int Reserved { get; init; }

    public bool IsMasked { get; init; }

    public string Text => Encoding.UTF8.GetString(Payload);

    /// <summary>The code of a close frame; <see langword="null"/> where it has none.</summary>
    public int? CloseCode => Payload.Length < 2 ? null : BinaryPrimitives.ReadUInt16BigEndian(Payload);

    public static Frame OfText(string text) => new(1, Encoding.UTF8.GetBytes(text));

    public static Frame OfBinary(byte[] bytes) => new(2, bytes);

    public static Frame Continuation(string text) => new(0, Encoding.UTF8.GetBytes(text));

    public static Frame Ping(string text = "") => new(9, Encoding.UTF8.GetBytes(text));

    public static Frame Pong(string text = "") => new(10, Encoding.UTF8.GetBytes(text));

    public static Frame Close(int? code = null, string reason = "") =>
        new(8, code is { } given ? [(byte)(given >> 8), (byte)given, .. Encoding.UTF8.GetBytes(reason)] : []);

    public byte[] ToBytes()
    {
        var first = (byte)((IsLast ? 0x80 : 0) | Reserved | Opcode);
        var mask = IsMasked ? 0x80 : 0;
        byte[] head = Payload.Length switch
        {
            <= 125 => [first, (byte)(mask | Payload.Length)],
            <= ushort.MaxValue => [first, (byte)(mask | 126), (byte)(Payload.Length >> 8), (byte)Payload.Length],
            _ =>
                [first, (byte)(mask | 127), 0, 0, 0, 0, (byte)(Payload.Length >> 24), (byte)(Payload.Length >> 16), (byte)(Payload.Length >> 8), (byte)Payload.Length],
        };
        // A mask of zeros leaves the payload as it is.
        return IsMasked ? [.. head, 0, 0, 0, 0, .. Payload] : [.. head, .. Payload];
    }
}
