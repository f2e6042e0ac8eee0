using System.Numerics;

namespace Perennial;

/// <summary>
/// Searches for the endings of the quoted words <c>done</c> and <c>error</c>, both in one pass. Nearly every message contains neither and
/// needs no further check. Pure.
/// </summary>
internal static class MarkerSearch
{
    private const int EndingLength = 3;

    private static ReadOnlySpan<byte> EndOfDone => "ne\""u8;

    private static ReadOnlySpan<byte> EndOfError => "or\""u8;

    /// <summary>Whether the text contains <c>ne"</c> or <c>or"</c>.</summary>
    public static bool MayContainMarker(ReadOnlySpan<byte> json)
    {
        var last = json.Length - Vector<byte>.Count - (EndingLength - 1);     // the start of the last whole vector of first bytes
        if (last < 0)
        {
            return json.IndexOf(EndOfDone) >= 0 || json.IndexOf(EndOfError) >= 0;
        }

        for (var i = 0; i < last; i += Vector<byte>.Count)
        {
            if (MayContainMarkerAt(json, i))
            {
                return true;
            }
        }

        return MayContainMarkerAt(json, last);     // checks some bytes twice, which is faster than checking the rest byte by byte
    }

    private static bool MayContainMarkerAt(ReadOnlySpan<byte> json, int start)
    {
        var first = new Vector<byte>(json[start..]);
        var second = new Vector<byte>(json[(start + 1)..]);
        var third = new Vector<byte>(json[(start + 2)..]);
        var isWord = (Vector.Equals(first, new Vector<byte>(EndOfDone[0])) & Vector.Equals(second, new Vector<byte>(EndOfDone[1])))
            | (Vector.Equals(first, new Vector<byte>(EndOfError[0])) & Vector.Equals(second, new Vector<byte>(EndOfError[1])));
        return Vector.EqualsAny(isWord & Vector.Equals(third, new Vector<byte>((byte)'"')), Vector<byte>.AllBitsSet);
    }
}
