using System.Collections.Concurrent;
using Perennial.Engine;

namespace Perennial;

/// <summary>
/// The circuit breakers of origins (RFC 6454: scheme, host and port). Each is created when a transport first connects to its origin. Thread
/// safe.
/// </summary>
public sealed class OriginBreakers : IDisposable
{
    /// <summary>The number of breakers beyond which those of working origins are removed.</summary>
    private const int Many = 1024;

    private readonly ConcurrentDictionary<string, OriginBreaker> _breakers = new(StringComparer.Ordinal);
    private readonly CircuitBreakerOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Validates the options.</summary>
    /// <param name="options">The options of each breaker. <see langword="null"/> uses the defaults.</param>
    /// <param name="time">The clock. <see langword="null"/> uses the system's clock.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it and the range.</exception>
    public OriginBreakers(CircuitBreakerOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new CircuitBreakerOptions();
        _options.Validate();
        _time = time ?? TimeProvider.System;
    }

    /// <summary>Gets the origins whose breaker is not closed, with its state.</summary>
    public IReadOnlyDictionary<string, BreakerState> Broken =>
        _breakers.Where(static pair => pair.Value.State != BreakerState.Closed).ToDictionary(
            static pair => pair.Key, static pair => pair.Value.State, StringComparer.Ordinal);

    /// <summary>Gets the state of the breaker of an endpoint's origin.</summary>
    /// <param name="endpoint">Any URL of the origin.</param>
    public BreakerState StateOf(Uri endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return _breakers.TryGetValue(OriginOf(endpoint), out var breaker) ? breaker.State : BreakerState.Closed;
    }

    /// <summary>
    /// Removes the broken origins from the gauge <c>perennial.client.origins.broken</c>. The breakers continue to work for transports that
    /// use them. A <see cref="Management.TransportManager"/> disposes the breakers that it created. Idempotent.
    /// </summary>
    public void Dispose()
    {
        foreach (var breaker in _breakers.Values)
        {
            breaker.Dispose();
        }
    }

    /// <summary>Records that a connection that a breaker allowed was closed.</summary>
    internal void Left(Uri endpoint) => For(endpoint).Left();

    internal OriginBreaker For(Uri endpoint)
    {
        if (_breakers.Count > Many)
        {
            foreach (var (origin, _) in _breakers.Where(static pair => pair.Value.CanBeRemoved))
            {
                _breakers.TryRemove(origin, out _);
            }
        }

        return _breakers.GetOrAdd(
            OriginOf(endpoint),
            static (_, self) => new OriginBreaker(self.Endpoint, self._options, self._time),
            (Endpoint: endpoint, _options, _time));
    }

    /// <summary>The origin of a WebSocket is the one of the HTTP request that opens it.</summary>
    private static string OriginOf(Uri endpoint) =>
        UnixSocketUrl.TryRead(endpoint, out var socket)
            ? $"unix:{socket.File}"
            : $"{(endpoint.Scheme is "wss" or "https" or "tls" ? "https" : "http")}://{endpoint.IdnHost}:{endpoint.Port}";
}

/// <summary>Specifies the state of a circuit breaker.</summary>
public enum BreakerState
{
    /// <summary>The origin works: transports connect without restriction.</summary>
    Closed,

    /// <summary>The origin failed repeatedly: no transport connects until the break is over.</summary>
    Open,

    /// <summary>One transport probes the origin; the others wait for the result.</summary>
    Probing,
}
