using System.Buffers.Text;
using System.Security.Cryptography;

namespace Perennial.Engine;

/// <summary>The name by which a server that numbers messages recognizes a sender on each connection (docs/protocol.md, Sends).</summary>
/// <param name="Id">The sender's id: 128 random bits.</param>
/// <param name="Next">The lowest number without an answer.</param>
internal readonly record struct SenderName(string Id, long Next)
{
    public static SenderName New() => new(Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16)), 1);
}
