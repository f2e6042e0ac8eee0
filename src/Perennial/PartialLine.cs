using System.Buffers;

namespace Perennial;

/// <summary>The beginning of a line whose end has not come, in pooled memory that grows by doubling.</summary>
internal sealed class PartialLine
{
    private const int LargestKept = 4 * 1024;

    private byte[] _bytes = [];
    private int _length;

    public bool IsEmpty => _length == 0;

    public int Length => _length;

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var length = _length + bytes.Length;
        if (length > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(length);   // sizes are powers of two: this is doubling
            Bytes.CopyTo(larger);
            Return();
            _bytes = larger;
        }

        bytes.CopyTo(_bytes.AsSpan(_length));
        _length = length;
    }

    /// <summary>Forgets the line; keeps its memory for the next where it is small.</summary>
    public void Clear()
    {
        _length = 0;
        if (_bytes.Length > LargestKept)
        {
            Return();
        }
    }

    /// <summary>Forgets the line and gives all memory back.</summary>
    public void Release()
    {
        _length = 0;
        Return();
    }

    private void Return()
    {
        if (_bytes.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_bytes);
            _bytes = [];
        }
    }
}
