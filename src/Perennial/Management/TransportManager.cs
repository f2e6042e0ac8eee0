using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Management;

/// <summary>
/// Keeps many transports: creates and caps them, finds and closes them, sums up what they do, checks their health, and sweeps those that
/// ended or fell idle. Transports of one origin share connections and a circuit breaker. Thread safe.
/// </summary>
/// <example>
/// <code>
/// await using var manager = new TransportManager();
/// var transport = manager.Create(new SseTransportOptions { Endpoint = new Uri("https://example.com/stream") });
/// manager.Events.Reconnecting += (_, e) => Console.WriteLine($"{e.Id}: attempt {e.Event.Attempt}");
/// </code>
/// </example>
public sealed class TransportManager : IAsyncDisposable, IDisposable
{
    private readonly TransportManagerOptions _options;
    private readonly TransportPool _pool;
    private readonly ILogger _logger;
    private readonly ClosingTransports _closing;
    private readonly ManagerInstruments _instruments;
    private readonly OriginBreakers? _ownBreakers;
    private readonly ITimer? _timer;
    private int _isChecking;

    /// <summary>Checks the options, and begins to check health.</summary>
    /// <param name="options">What the manager is told; <see langword="null"/> for the defaults.</param>
    /// <param name="services">Clock, chance, logs and network of all transports; <see langword="null"/> for the defaults.</param>
    /// <exception cref="ArgumentException">An option is missing or out of range; the message names it.</exception>
    public TransportManager(TransportManagerOptions? options = null, TransportServices? services = null)
    {
        _options = options ?? new TransportManagerOptions();
        _options.Validate();
        services ??= TransportServices.Default;
        _ownBreakers = services.Breakers is null && _options.CircuitBreaker is { } breaker ? new OriginBreakers(breaker, services.Time) : null;
        Services = _ownBreakers is null ? services : services with { Breakers = _ownBreakers };
        _logger = Services.LoggerFactory.CreateSafeLogger("Perennial.TransportManager");
        _pool = new TransportPool(_options.MaxTransports);
        Events = new ManagerEvents(this, _logger);
        _closing = new ClosingTransports(_options.CloseTimeout, Events, Services.Time, _logger);
        _instruments = new ManagerInstruments(GetMetrics, () => GetSummary().Utilization / 100);
        if (_options.HealthCheckInterval != Timeout.InfiniteTimeSpan)
        {
            _timer = Services.Time.CreateTimer(
                static manager => ((TransportManager)manager!).OnTimer(), this, _options.HealthCheckInterval, _options.HealthCheckInterval);
        }
    }

    /// <summary>What transports made elsewhere are to be given, so that they share the clock, the logs and the circuit breakers.</summary>
    public TransportServices Services { get; }

    /// <summary>What happens to the transports and to the pool.</summary>
    public ManagerEvents Events { get; }

    /// <summary>The transports in the pool now, in no order.</summary>
    public IReadOnlyList<Transport> Transports => [.. _pool.Snapshot.Transports.Select(static pooled => pooled.Transport)];

    /// <summary>Makes a transport of the kind that takes these options, and keeps it. Connects nothing.</summary>
    /// <param name="options">What the transport is told.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range, or no kind takes these options.</exception>
    /// <exception cref="PoolFullException">There are <see cref="TransportManagerOptions.MaxTransports"/>, and none can be swept.</exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public Transport Create(TransportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Create(_options.Kinds.KindFor(options), options);
    }

    /// <summary>Makes a transport of a kind by name, and keeps it. Connects nothing.</summary>
    /// <param name="kind">One of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</param>
    /// <param name="options">What the transport is told.</param>
    /// <exception cref="ArgumentException">The kind is not known or takes other options, or an option is missing, malformed or out of range.</exception>
    /// <exception cref="PoolFullException">There are <see cref="TransportManagerOptions.MaxTransports"/>, and none can be swept.</exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public Transport Create(string kind, TransportOptions options) => Create(kind, options, Services);

    /// <summary>
    /// Makes a transport of a kind by name, with services of its own, and keeps it. Connects nothing. Begin with <see cref="Services"/>,
    /// so that it shares the circuit breakers: <c>manager.Services with { HttpHandler = handler }</c>.
    /// </summary>
    /// <param name="kind">One of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</param>
    /// <param name="options">What the transport is told.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler of this transport.</param>
    /// <exception cref="ArgumentException">
    /// The kind is not known or takes other options, or an option is missing, malformed, out of range or contradicts the services.
    /// </exception>
    /// <exception cref="PoolFullException">There are <see cref="TransportManagerOptions.MaxTransports"/>, and none can be swept.</exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public Transport Create(string kind, TransportOptions options, TransportServices services)
    {
        ArgumentNullException.ThrowIfNull(kind);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(services);
        var transport = _options.Kinds.Create(kind, options, services);
        try
        {
            Register(transport);
            return transport;
        }
        catch
        {
            _ = transport.DisposeAsync().AsTask();      // it was never started: there is nothing to wait for
            throw;
        }
    }

    /// <summary>Keeps a transport made elsewhere, as one's own: it is closed with the manager. Give it <see cref="Services"/> when making it.</summary>
    /// <param name="transport">The transport.</param>
    /// <exception cref="ArgumentException">It is kept already.</exception>
    /// <exception cref="PoolFullException">There are <see cref="TransportManagerOptions.MaxTransports"/>, and none can be swept.</exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public void Register(Transport transport)
    {
        ArgumentNullException.ThrowIfNull(transport);
        var pooled = new PooledTransport(transport, Services.Time.GetUtcNow());
        if (!TryAdd(pooled))
        {
            Sweep(isRoomNeeded: true);
            if (!TryAdd(pooled))
            {
                throw new PoolFullException(GetSummary());
            }
        }

        Events.RaiseCreated(transport);
    }

    /// <summary>The transport with this id, or <see langword="null"/>.</summary>
    /// <param name="id">As in <see cref="Transport.Id"/>.</param>
    public Transport? Find(string id) => _pool.TryGet(id, out var found) ? found.Transport : null;

    /// <summary>The transports of one kind.</summary>
    /// <param name="kind">As in <see cref="Transport.Kind"/>.</param>
    public IReadOnlyList<Transport> OfKind(string kind) =>
        [.. Transports.Where(transport => string.Equals(transport.Kind, kind, StringComparison.Ordinal))];

    /// <summary>The transports that are in one state at this moment.</summary>
    /// <param name="state">The state.</param>
    public IReadOnlyList<Transport> InState(TransportState state) => [.. Transports.Where(transport => transport.State == state)];

    /// <summary>Closes a transport for good and takes it out of the pool.</summary>
    /// <param name="id">As in <see cref="Transport.Id"/>.</param>
    /// <param name="cancellationToken">Ends the wait for it, which is at most <see cref="TransportManagerOptions.CloseTimeout"/>.</param>
    /// <returns>Whether it was in the pool.</returns>
    public async Task<bool> CloseAsync(string id, CancellationToken cancellationToken = default)
    {
        if (!_pool.TryGet(id, out var pooled) || !_pool.TryRemove(pooled))
        {
            return false;
        }

        _closing.Begin(pooled, RemovalReason.Closed);
        await _closing.WaitAsync(pooled, cancellationToken).ConfigureAwait(false);
        return true;
    }

    /// <summary>Closes all transports that are in the pool now, all at the same time.</summary>
    /// <param name="cancellationToken">Ends the wait for them, which is at most <see cref="TransportManagerOptions.CloseTimeout"/>.</param>
    public async Task CloseAllAsync(CancellationToken cancellationToken = default)
    {
        PooledTransport[] removed = [.. _pool.Snapshot.Transports.Where(_pool.TryRemove)];
        foreach (var pooled in removed)
        {
            _closing.Begin(pooled, RemovalReason.Closed);
        }

        await _closing.WaitForAllAsync(cancellationToken).ConfigureAwait(false);
        Events.RaiseAllClosed(removed.Length);
    }

    /// <summary>What each transport did so far.</summary>
    public IReadOnlyList<TransportMetrics> GetMetrics() => [.. _pool.Snapshot.Transports.Select(static pooled => pooled.Transport.GetMetrics())];

    /// <summary>All transports in numbers.</summary>
    public TransportSummary GetSummary()
    {
        var (transports, created) = _pool.Snapshot;
        return TransportSummary.Of([.. transports.Select(static pooled => pooled.Transport.GetMetrics())], created, _options.MaxTransports);
    }

    /// <summary>Checks the health of all transports, and announces it.</summary>
    public ManagerHealth CheckHealth()
    {
        var (transports, _) = _pool.Snapshot;
        var found = new List<TransportHealth>(transports.Length);
        var newlyUnhealthy = new List<TransportHealth>();
        foreach (var pooled in transports)
        {
            var health = HealthOf(pooled.Transport);
            found.Add(health);
            if (pooled.Found(health.Status))
            {
                newlyUnhealthy.Add(health);
            }
        }

        foreach (var health in newlyUnhealthy)
        {
            ManagerLog.Unhealthy(_logger, health.Kind, health.Id, health.Reason);
            Events.RaiseUnhealthy(health);
        }

        var all = ManagerHealth.Of(found, Services.Breakers?.Broken ?? new Dictionary<string, BreakerState>(StringComparer.Ordinal), Services.Time.GetUtcNow());
        Events.RaiseHealthChecked(all);
        return all;
    }

    /// <summary>How well one transport is, or <see langword="null"/> where there is none with this id. Announces nothing.</summary>
    /// <param name="id">As in <see cref="Transport.Id"/>.</param>
    public TransportHealth? GetHealth(string id) => Find(id) is { } transport ? HealthOf(transport) : null;

    /// <summary>
    /// Takes out those that ended, and those that had no traffic for <see cref="TransportManagerOptions.MaxIdleTime"/>, provided that
    /// nobody reads them; they are closed meanwhile. One with unread messages is kept, and one that failed is
    /// kept as long as an idle one, for it may be connected again.
    /// </summary>
    /// <returns>How many were taken out.</returns>
    public int Sweep() => Sweep(isRoomNeeded: false);

    /// <summary>
    /// Closes all transports, checks health no more, and takes no further transport. Idempotent. Takes at most
    /// <see cref="TransportManagerOptions.CloseTimeout"/>.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (!_pool.Close())
        {
            return;
        }

        if (_timer is not null)
        {
            await _timer.DisposeAsync().ConfigureAwait(false);
        }

        _instruments.Dispose();
        await CloseAllAsync().ConfigureAwait(false);
        _ownBreakers?.Dispose();
    }

    /// <summary>
    /// As <see cref="DisposeAsync"/>, but returns without waiting for the transports to close. For containers that are disposed synchronously.
    /// </summary>
    public void Dispose() => _ = DisposeAsync().AsTask();

    private bool TryAdd(PooledTransport pooled) => _pool.TryAdd(pooled, () => Events.Attach(pooled.Transport));

    private int Sweep(bool isRoomNeeded)
    {
        var now = Services.Time.GetUtcNow();
        var swept = 0;
        foreach (var pooled in _pool.Snapshot.Transports)
        {
            if (pooled.MayBeSwept(now, _options.MaxIdleTime, isRoomNeeded, out var reason) && _pool.TryRemove(pooled))
            {
                ManagerLog.Swept(_logger, pooled.Transport.Kind, pooled.Transport.Id, reason.Value);
                _closing.Begin(pooled, reason.Value);
                swept++;
            }
        }

        return swept;
    }

    private TransportHealth HealthOf(Transport transport) => TransportHealth.Of(
        transport, Services.Breakers?.StateOf(transport.Endpoint) ?? BreakerState.Closed);

    /// <summary>Checks that take longer than the interval are not to pile up.</summary>
    private void OnTimer()
    {
        if (Interlocked.Exchange(ref _isChecking, 1) == 1)
        {
            return;
        }

        try
        {
            if (_options.SweepsAutomatically)
            {
                Sweep();
            }

            CheckHealth();
        }
        finally
        {
            Volatile.Write(ref _isChecking, 0);
        }
    }
}
