using System.Text;

namespace Perennial.Testing;

/// <summary>Watches the bytes of one direction for the moment an <see cref="After"/> names. Not thread-safe.</summary>
internal sealed class ByteMoment(After? when)
{
    private readonly SequenceSearch? _search =
        when?.Sequence is var (sequence, times) ? new SequenceSearch(Encoding.Latin1.GetBytes(sequence), times) : null;

    /// <summary>How many bytes pass before the moment; beyond every stream until it is known, and where time decides.</summary>
    public long At => when?.ByteCount ?? _search?.FoundAt ?? long.MaxValue;

    /// <summary>To be called with every block of the stream, in order, once.</summary>
    public void Observe(ReadOnlySpan<byte> block) => _search?.Observe(block);
}
