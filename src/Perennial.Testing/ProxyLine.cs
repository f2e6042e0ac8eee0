namespace Perennial.Testing;

/// <summary>What all connections of one proxy share: the clock, the gate that stalls them all, and the counters. Thread-safe.</summary>
internal sealed class ProxyLine(TimeProvider time)
{
    private long _downstreamBytes;
    private long _upstreamBytes;
    private int _cuts;

    public TimeProvider Time => time;

    public Gate Gate { get; } = new();

    public AsyncCondition CutMade { get; } = new();

    public long DownstreamBytes => Volatile.Read(ref _downstreamBytes);

    public long UpstreamBytes => Volatile.Read(ref _upstreamBytes);

    public int Cuts => Volatile.Read(ref _cuts);

    public void CountDownstream(int bytes) => Interlocked.Add(ref _downstreamBytes, bytes);

    public void CountUpstream(int bytes) => Interlocked.Add(ref _upstreamBytes, bytes);

    public void CountCut()
    {
        Interlocked.Increment(ref _cuts);
        CutMade.Changed();
    }
}
