using System.Numerics;

namespace Perennial;

/// <summary>
/// Looks for what the words <c>done</c> and <c>error</c> in quotes end in, both in one pass: nearly every message has neither, and is
/// done with here. Pure.
/// </summary>
internal static class MarkerSearch
{
    private const int EndingLength = 3;

    private static ReadOnlySpan<byte> EndOfDone => "ne\""u8;

    private static ReadOnlySpan<byte> EndOfError => "or\""u8;

    /// <summary>Whether <c>ne"</c> or <c>or"</c> stands anywhere.</summary>
    public static bool HasEnding(ReadOnlySpan<byte> json)
    {
        var last = json.Length - Vector<byte>.Count - (EndingLength - 1);     // where the last whole vector of first bytes begins
        if (last < 0)
        {
            return json.IndexOf(EndOfDone) >= 0 || json.IndexOf(EndOfError) >= 0;
        }

        for (var i = 0; i < last; i += Vector<byte>.Count)
        {
            if (HasEndingAt(json, i))
            {
                return true;
            }
        }

        return HasEndingAt(json, last);     // some of it twice, rather than the rest byte by byte
    }

    private static bool HasEndingAt(ReadOnlySpan<byte> json, int start)
    {
        var first = new Vector<byte>(json[start..]);
        var second = new Vector<byte>(json[(start + 1)..]);
        var third = new Vector<byte>(json[(start + 2)..]);
        var isWord = (Vector.Equals(first, new Vector<byte>(EndOfDone[0])) & Vector.Equals(second, new Vector<byte>(EndOfDone[1])))
            | (Vector.Equals(first, new Vector<byte>(EndOfError[0])) & Vector.Equals(second, new Vector<byte>(EndOfError[1])));
        return Vector.EqualsAny(isWord & Vector.Equals(third, new Vector<byte>((byte)'"')), Vector<byte>.AllBitsSet);
    }
}
