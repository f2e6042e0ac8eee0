using System.Collections.Concurrent;
using Perennial.Engine;

namespace Perennial;

/// <summary>One circuit breaker for each origin (RFC 6454: scheme, host and port), made when it is first asked for. Thread safe.</summary>
public sealed class OriginBreakers : IDisposable
{
    /// <summary>Beyond this many, the breakers of origins that are well are forgotten.</summary>
    private const int Many = 1024;

    private readonly ConcurrentDictionary<string, OriginBreaker> _breakers = new(StringComparer.Ordinal);
    private readonly CircuitBreakerOptions _options;
    private readonly TimeProvider _time;

    /// <summary>Checks the options.</summary>
    /// <param name="options">When to open, and for how long; <see langword="null"/> for the defaults.</param>
    /// <param name="time">The clock; <see langword="null"/> for the system's.</param>
    /// <exception cref="ArgumentOutOfRangeException">An option is out of range; the message names it and the range.</exception>
    public OriginBreakers(CircuitBreakerOptions? options = null, TimeProvider? time = null)
    {
        _options = options ?? new CircuitBreakerOptions();
        _options.Validate();
        _time = time ?? TimeProvider.System;
    }

    /// <summary>The origins whose breaker is not closed, and how it stands.</summary>
    public IReadOnlyDictionary<string, BreakerState> Broken =>
        _breakers.Where(static pair => pair.Value.State != BreakerState.Closed).ToDictionary(static pair => pair.Key, static pair => pair.Value.State, StringComparer.Ordinal);

    /// <summary>How the breaker of an endpoint's origin stands.</summary>
    /// <param name="endpoint">Any URL of the origin.</param>
    public BreakerState StateOf(Uri endpoint)
    {
        ArgumentNullException.ThrowIfNull(endpoint);
        return _breakers.TryGetValue(OriginOf(endpoint), out var breaker) ? breaker.State : BreakerState.Closed;
    }

    /// <summary>
    /// Takes the broken origins out of the gauge <c>perennial.client.origins.broken</c>. Transports that still use these breakers go on to work.
    /// A <see cref="Management.TransportManager"/> disposes those it has made. Idempotent.
    /// </summary>
    public void Dispose()
    {
        foreach (var breaker in _breakers.Values)
        {
            breaker.Dispose();
        }
    }

    /// <summary>A connection that a breaker let through stands no longer.</summary>
    internal void Left(Uri endpoint) => For(endpoint).Left();

    internal OriginBreaker For(Uri endpoint)
    {
        if (_breakers.Count > Many)
        {
            foreach (var (origin, _) in _breakers.Where(static pair => pair.Value.IsForgettable))
            {
                _breakers.TryRemove(origin, out _);
            }
        }

        return _breakers.GetOrAdd(OriginOf(endpoint), static (_, self) => new OriginBreaker(self.Endpoint, self._options, self._time), (Endpoint: endpoint, _options, _time));
    }

    /// <summary>A WebSocket is opened by a request, so that its origin is the one of HTTP.</summary>
    private static string OriginOf(Uri endpoint) => $"{(endpoint.Scheme is "wss" or "https" ? "https" : "http")}://{endpoint.IdnHost}:{endpoint.Port}";
}

/// <summary>How a circuit breaker stands.</summary>
public enum BreakerState
{
    /// <summary>Connections are made as usual.</summary>
    Closed,

    /// <summary>Connections failed repeatedly; none is tried until the wait is over.</summary>
    Open,

    /// <summary>One transport probes for all; the others wait for what it finds.</summary>
    Probing,
}
