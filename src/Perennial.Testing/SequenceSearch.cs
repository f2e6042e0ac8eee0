namespace Perennial.Testing;

/// <summary>
/// Finds where in a stream, which arrives in blocks, a byte sequence has passed a number of times (Knuth-Morris-Pratt, so that no block
/// has to be kept). Not thread-safe.
/// </summary>
internal sealed class SequenceSearch
{
    private readonly byte[] _sequence;
    private readonly int[] _fallback;   // length of the longest prefix that is still matched when the next byte does not fit
    private int _remaining;
    private int _matched;
    private long _position;

    public SequenceSearch(byte[] sequence, int times)
    {
        _sequence = sequence;
        _fallback = FallbackOf(sequence);
        _remaining = times;
    }

    /// <summary>How many bytes of the stream end with the last byte of the last occurrence; null until it has passed.</summary>
    public long? FoundAt { get; private set; }

    public void Observe(ReadOnlySpan<byte> block)
    {
        foreach (var value in block)
        {
            if (FoundAt is not null)
            {
                return;
            }

            _position++;
            while (_matched > 0 && _sequence[_matched] != value)
            {
                _matched = _fallback[_matched - 1];
            }

            if (_sequence[_matched] == value)
            {
                _matched++;
            }

            if (_matched < _sequence.Length)
            {
                continue;
            }

            _matched = 0;
            if (--_remaining == 0)
            {
                FoundAt = _position;
            }
        }
    }

    private static int[] FallbackOf(byte[] sequence)
    {
        var fallback = new int[sequence.Length];
        for (int i = 1, length = 0; i < sequence.Length; i++)
        {
            while (length > 0 && sequence[i] != sequence[length])
            {
                length = fallback[length - 1];
            }

            if (sequence[i] == sequence[length])
            {
                length++;
            }

            fallback[i] = length;
        }
        return fallback;
    }
}
