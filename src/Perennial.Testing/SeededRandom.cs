namespace Perennial.Testing;

/// <summary>
/// SplitMix64: reproducible on every runtime, which <see cref="Random"/> does not promise, and well mixed for seeds that lie close
/// together. Not for secrets.
/// </summary>
internal struct SeededRandom(int seed, int stream)
{
    private ulong _state = ((ulong)(uint)seed << 32) | (uint)stream;

    /// <summary>A number from <paramref name="least"/> to <paramref name="most"/>, both included.</summary>
    public long Between(long least, long most) => least + (long)(Next() % (ulong)(most - least + 1));

    /// <summary>A number from 0 up to but not including 1.</summary>
    public double NextShare() => (Next() >> 11) * (1.0 / (1UL << 53));

    private ulong Next()
    {
        unchecked
        {
            var z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
