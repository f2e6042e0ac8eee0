namespace Perennial.Diagnostics;

/// <summary>
/// Counts durations in logarithmic buckets, two per octave. One thread at a time may write. Any thread may read; it may miss the duration
/// that is just being recorded.
/// </summary>
internal struct LatencyRecorder()
{
    private const int BucketsPerOctave = 2;
    private const int BucketCount = 72;     // up to 2^36 µs, nineteen hours

    private int[] _buckets = [];            // as many as the longest duration so far requires
    private long _count;
    private long _totalTicks;

    public readonly TimeSpan Average => _count == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(_totalTicks / _count);

    public void Record(TimeSpan elapsed)
    {
        var bucket = BucketFor(elapsed);
        if (bucket >= _buckets.Length)
        {
            Array.Resize(ref _buckets, bucket + 1);
        }

        _buckets[bucket]++;
        _totalTicks += elapsed.Ticks;
        _count++;
    }

    /// <summary>The upper bound of the bucket that holds the given share of all samples, from 0 to 1; zero without samples.</summary>
    public readonly TimeSpan Percentile(double share)
    {
        var buckets = _buckets;
        var rank = (long)Math.Ceiling(_count * share);
        for (var i = 0; i < buckets.Length; i++)
        {
            rank -= buckets[i];
            if (rank <= 0 || i == buckets.Length - 1)
            {
                return TimeSpan.FromMicroseconds(Math.Pow(2, (double)i / BucketsPerOctave));
            }
        }

        return TimeSpan.Zero;
    }

    private static int BucketFor(TimeSpan elapsed)
    {
        var microseconds = Math.Max(1, elapsed.TotalMicroseconds);
        return Math.Min(BucketCount - 1, (int)Math.Ceiling(Math.Log2(microseconds) * BucketsPerOctave));
    }
}
