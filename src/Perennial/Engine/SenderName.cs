using System.Buffers.Text;
using System.Security.Cryptography;

namespace Perennial.Engine;

/// <summary>By what a server that numbers messages knows one sender over its connections (docs/protocol.md, Sends).</summary>
/// <param name="Id">Names it: 128 random bits.</param>
/// <param name="Next">The lowest number it has had no answer for.</param>
internal readonly record struct SenderName(string Id, long Next)
{
    public static SenderName New() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), 1);
}
