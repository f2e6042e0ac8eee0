using System.Buffers;

namespace Perennial;

/// <summary>The start of a line whose end has not arrived, in pooled memory.</summary>
internal sealed class LineBuffer
{
    private const int LargestKept = 4 * 1024;

    private byte[] _bytes = [];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, Length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        var length = Length + bytes.Length;
        if (length > _bytes.Length)
        {
            var larger = ArrayPool<byte>.Shared.Rent(length);   // sizes are powers of two: this is doubling
            Bytes.CopyTo(larger);
            Return();
            _bytes = larger;
        }

        bytes.CopyTo(_bytes.AsSpan(Length));
        Length = length;
    }

    /// <summary>Discards the line. Keeps little memory for the next one.</summary>
    public void Clear()
    {
        Length = 0;
        if (_bytes.Length > LargestKept)
        {
            Return();
        }
    }

    /// <summary>Discards the line and returns all memory.</summary>
    public void Release()
    {
        Length = 0;
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
