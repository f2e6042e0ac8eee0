using Microsoft.Extensions.Options;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>The transports that the host's configuration names. Each is created by the first call that gets it. Thread safe.</summary>
public sealed class NamedTransports
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Transport> _made = new(StringComparer.Ordinal);
    private readonly TransportManager _manager;
    private readonly PerennialOptions _options;
    private readonly IServiceProvider _provider;

    internal NamedTransports(TransportManager manager, IOptions<PerennialOptions> options, IServiceProvider provider)
    {
        _provider = provider;
        _manager = manager;
        _options = options.Value;
    }

    /// <summary>Gets the configured names, in ordinal order.</summary>
    public IReadOnlyList<string> Names => [.. _options.Transports.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// Gets the transport with this name. Every call returns the same transport while it is in the pool. After it was closed or removed
    /// from the pool, the next call creates a new one.
    /// </summary>
    /// <param name="name">A configured name, compared case-sensitively.</param>
    /// <exception cref="ArgumentException">No transport has this name.</exception>
    /// <exception cref="PoolFullException">The transport must be created, and the pool is full.</exception>
    /// <exception cref="ObjectDisposedException">The host has stopped.</exception>
    public Transport Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_options.Transports.TryGetValue(name, out var wanted))
        {
            throw new ArgumentException(
                $"No transport is named '{name}'. The configured names are: {string.Join(", ", Names)}.", nameof(name));
        }

        lock (_gate)
        {
            if (!_made.TryGetValue(name, out var transport) || _manager.Find(transport.Id) is null)
            {
                _made[name] = transport = _manager.Create(wanted.Kind, wanted.Options, ServicesFor(wanted));
            }

            return transport;
        }
    }

    /// <summary>Gets the name of a transport, or <see langword="null"/> if it has none.</summary>
    /// <param name="id">The transport's <see cref="Transport.Id"/>.</param>
    public string? NameOf(string id)
    {
        lock (_gate)
        {
            return _made.FirstOrDefault(made => string.Equals(made.Value.Id, id, StringComparison.Ordinal)).Key;
        }
    }

    private TransportServices ServicesFor(NamedTransport wanted)
    {
        if (wanted.HttpClient is not { } name)
        {
            return _manager.Services;
        }

        return NamedHttpClient.TryFind(_provider, name, out var client, out var problem)
            ? _manager.Services with { HttpHandler = client }
            : throw new InvalidOperationException(problem);
    }
}
