using System.Diagnostics.CodeAnalysis;
using System.Text;
using Microsoft.Extensions.AI;

namespace Perennial.Chats;

/// <summary>A <see cref="ResumePoint"/> as a continuation token. Its bytes are the saved form of the resume point. Immutable.</summary>
internal sealed class ResumeToken(ResumePoint point) : ResponseContinuationToken
{
    /// <summary>Encodes the token only when somebody saves it.</summary>
    public override ReadOnlyMemory<byte> ToBytes() => Encoding.UTF8.GetBytes(point.Serialize());

    /// <summary>Reads a token of this or another process. Returns false if it is not a saved resume point.</summary>
    public static bool TryRead(ResponseContinuationToken token, [NotNullWhen(true)] out ResumePoint? point)
    {
        point = (token as ResumeToken)?.Point;
        return point is not null || ResumePoint.TryParse(Encoding.UTF8.GetString(token.ToBytes().Span), out point);
    }

    private ResumePoint Point => point;
}
