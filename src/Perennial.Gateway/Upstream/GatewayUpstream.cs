namespace Perennial.Gateway.Upstream;

/// <summary>One upstream with its options and its HTTP client. Immutable.</summary>
internal sealed class GatewayUpstream(UpstreamAddress address, GatewayOptions options) : IDisposable
{
    private int _active;

    public UpstreamAddress Address => address;

    public GatewayOptions Options => options;

    public HttpMessageInvoker Client { get; } = UpstreamClient.Create(options);

    /// <summary>The number of requests being served.</summary>
    public int Active => Volatile.Read(ref _active);

    /// <summary>Takes a place for a request. Returns false if all are taken.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _active) <= options.MaxConcurrentRequests)
        {
            return true;
        }

        Interlocked.Decrement(ref _active);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _active);

    public void Dispose() => Client.Dispose();
}
