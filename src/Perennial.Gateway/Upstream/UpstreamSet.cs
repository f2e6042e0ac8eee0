using System.Collections.Concurrent;

namespace Perennial.Gateway.Upstream;

/// <summary>The upstreams of an application's gateways. Disposed with the application. Safe from any thread.</summary>
internal sealed class UpstreamSet : IDisposable
{
    private readonly ConcurrentBag<GatewayUpstream> _upstreams = [];

    /// <summary>Adds an upstream.</summary>
    /// <exception cref="ArgumentException">The address or an option is invalid.</exception>
    public GatewayUpstream Add(string baseAddress, GatewayOptions options)
    {
        options.Validate();
        var upstream = new GatewayUpstream(UpstreamAddress.Parse(baseAddress), options);
        _upstreams.Add(upstream);
        return upstream;
    }

    public IReadOnlyList<GatewayUpstream> All => [.. _upstreams];

    public void Dispose()
    {
        foreach (var upstream in _upstreams)
        {
            upstream.Dispose();
        }
    }
}
