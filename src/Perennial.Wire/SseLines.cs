namespace Perennial.Wire;

/// <summary>Splits bytes at CR, LF and CRLF, as the grammar of event streams does. Empty data is one empty line.</summary>
internal ref struct SseLines(ReadOnlySpan<byte> data)
{
    private ReadOnlySpan<byte> _rest = data;
    private bool _finished;

    public ReadOnlySpan<byte> Current { get; private set; }

    public readonly SseLines GetEnumerator() => this;

    public bool MoveNext()
    {
        if (_finished)
        {
            return false;
        }

        var end = _rest.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0)
        {
            Current = _rest;
            _finished = true;
            return true;
        }

        Current = _rest[..end];
        _rest = _rest[(end + (_rest[end..].StartsWith("\r\n"u8) ? 2 : 1))..];
        return true;
    }
}
