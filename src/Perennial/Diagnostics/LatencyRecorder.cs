namespace Perennial.Diagnostics;

/// <summary>
/// Times from the socket to the reader in logarithmic buckets, two to the octave. Written by the reader alone, once a batch; read
/// by anyone, to within the batch being recorded. There are only as many buckets as the longest time so far needs.
/// </summary>
internal sealed class LatencyRecorder(TimeProvider time, string kind = "")
{
    private const int BucketsPerOctave = 2;
    private const int BucketCount = 72;     // up to 2^36 µs, nineteen hours

    private int[] _buckets = [];
    private long _count;
    private long _totalTicks;

    public TimeSpan Average => _count == 0 ? TimeSpan.Zero : TimeSpan.FromTicks(_totalTicks / _count);

    /// <summary>Records that the batch whose oldest message came off the socket at <paramref name="receivedAt"/> reached the reader now.</summary>
    public void Record(long receivedAt)
    {
        var elapsed = time.GetElapsedTime(receivedAt);
        PerennialTelemetry.HandOverLatency.Record(elapsed.TotalSeconds, new KeyValuePair<string, object?>("perennial.transport", kind));
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
    public TimeSpan Percentile(double share)
    {
        var buckets = _buckets;
        if (buckets.Length == 0)
        {
            return TimeSpan.Zero;
        }

        var rank = (long)Math.Ceiling(_count * share);
        for (var i = 0; i < buckets.Length; i++)
        {
            rank -= buckets[i];
            if (rank <= 0)
            {
                return TimeSpan.FromMicroseconds(Math.Pow(2, (double)i / BucketsPerOctave));
            }
        }

        return TimeSpan.FromMicroseconds(Math.Pow(2, (double)(buckets.Length - 1) / BucketsPerOctave));
    }

    private static int BucketFor(TimeSpan elapsed)
    {
        var microseconds = Math.Max(1, elapsed.TotalMicroseconds);
        return Math.Min(BucketCount - 1, (int)Math.Ceiling(Math.Log2(microseconds) * BucketsPerOctave));
    }
}
