namespace Perennial.Sse;

/// <content>Finds where lines begin and end, whatever the size of the pieces in which the bytes arrive.</content>
internal sealed partial class SseEventParser
{
    private static ReadOnlySpan<byte> Utf8Bom => [0xEF, 0xBB, 0xBF];

    /// <summary>Skips bytes that belong to no line: a byte order mark, and the LF of a CR LF that arrived in two pieces.</summary>
    private ReadOnlySpan<byte> SkipBeginning(ReadOnlySpan<byte> bytes)
    {
        if (_byteOrderMark < Utf8Bom.Length)
        {
            bytes = SkipByteOrderMark(bytes);
        }

        if (!_skipsLineFeed || bytes.IsEmpty)
        {
            return bytes;
        }

        _skipsLineFeed = false;
        return bytes[0] == LineFeed ? bytes[1..] : bytes;
    }

    /// <summary>"The UTF-8 decode algorithm strips one leading UTF-8 Byte Order Mark (BOM), if any."</summary>
    private ReadOnlySpan<byte> SkipByteOrderMark(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && _byteOrderMark < Utf8Bom.Length)
        {
            if (bytes[0] != Utf8Bom[_byteOrderMark])
            {
                KeepLine(Utf8Bom[.._byteOrderMark]);
                _byteOrderMark = Utf8Bom.Length;
                return bytes;
            }

            _byteOrderMark++;
            bytes = bytes[1..];
        }

        return bytes;
    }

    /// <summary>Lines end with CR LF, LF or CR. A CR ends its line at once; an LF that follows later is part of the same end.</summary>
    private ReadOnlySpan<byte> AfterLineEnd(ReadOnlySpan<byte> bytes, int end)
    {
        var next = end + 1;
        if (bytes[end] == CarriageReturn)
        {
            if (next == bytes.Length)
            {
                _skipsLineFeed = true;
            }
            else if (bytes[next] == LineFeed)
            {
                next++;
            }
        }

        return bytes[next..];
    }

    /// <summary>Reads the line that began in earlier bytes, if it ends in these.</summary>
    private bool FinishLine(ref ReadOnlySpan<byte> bytes, MessageBatch batch)
    {
        var end = bytes.IndexOfAny(LineFeed, CarriageReturn);
        if (end < 0)
        {
            KeepLine(bytes);
            return false;
        }

        KeepLine(bytes[..end]);
        ReadLine(_line.Bytes, batch);
        _line.Clear();
        bytes = AfterLineEnd(bytes, end);
        return true;
    }

    private void KeepLine(ReadOnlySpan<byte> bytes)
    {
        ThrowIfTooLarge(_line.Length + bytes.Length - FieldNameAllowance);
        _line.Append(bytes);
    }
}
