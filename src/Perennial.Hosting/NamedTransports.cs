using Microsoft.Extensions.Options;
using Perennial.Management;

namespace Perennial.Hosting;

/// <summary>The transports that the host's configuration names, each made when it is first asked for. Thread safe.</summary>
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

    /// <summary>The names there are.</summary>
    public IReadOnlyList<string> Names => [.. _options.Transports.Keys.Order(StringComparer.Ordinal)];

    /// <summary>
    /// The transport with this name. The same for everybody for as long as it is in the pool; a new one once it was closed or swept.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <exception cref="ArgumentException">There is no such name.</exception>
    /// <exception cref="PoolFullException">It is to be made, and the pool is full.</exception>
    /// <exception cref="ObjectDisposedException">The host has stopped.</exception>
    public Transport Get(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_options.Transports.TryGetValue(name, out var wanted))
        {
            throw new ArgumentException($"No transport is named '{name}'; there are {string.Join(", ", Names)}.", nameof(name));
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

    /// <summary>The name of a transport, or <see langword="null"/> for one that has none.</summary>
    /// <param name="id">As in <see cref="Transport.Id"/>.</param>
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
