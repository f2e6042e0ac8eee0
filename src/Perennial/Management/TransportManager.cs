using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Management;

/// <summary>
/// Manages many transports: creates them up to a limit, finds and closes them, collects their metrics, checks their health, and removes
/// those that ended or are idle. Transports of one origin share connections and a circuit breaker. Thread safe.
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
    private readonly HealthChecks _health;
    private readonly ManagerInstruments _instruments;
    private readonly OriginBreakers? _ownBreakers;
    private readonly ITimer? _timer;
    private int _isChecking;

    /// <summary>Validates the options and starts the health checks.</summary>
    /// <param name="options">The options. <see langword="null"/> uses the defaults.</param>
    /// <param name="services">
    /// Clock, random source, logging and HTTP handler of all transports. <see langword="null"/> uses the defaults.
    /// </param>
    /// <exception cref="ArgumentException">An option is missing or out of range; the message names it.</exception>
    public TransportManager(TransportManagerOptions? options = null, TransportServices? services = null)
    {
        _options = options ?? new TransportManagerOptions();
        _options.Validate();
        services ??= TransportServices.Default;
        _ownBreakers = services.Breakers is null && _options.CircuitBreaker is { } breaker
            ? new OriginBreakers(breaker, services.Time)
            : null;
        Services = _ownBreakers is null ? services : services with { Breakers = _ownBreakers };
        _logger = Services.LoggerFactory.CreateSafeLogger("Perennial.TransportManager");
        _pool = new TransportPool(_options.MaxTransports, this);
        Events = new ManagerEvents(this, _logger);
        _closing = new ClosingTransports(_options.CloseTimeout, Events, Services.Time, _logger);
        _health = new HealthChecks(Services, Events, _logger);
        _instruments = new ManagerInstruments(GetMetrics, () => GetSummary().Utilization / 100);
        if (_options.HealthCheckInterval != Timeout.InfiniteTimeSpan)
        {
            _timer = Services.Time.CreateTimer(
                static manager => ((TransportManager)manager!).OnTimer(), this, _options.HealthCheckInterval, _options.HealthCheckInterval);
        }
    }

    /// <summary>
    /// Gets the services for transports that the application creates itself, so that they share the clock, logging and circuit breakers.
    /// </summary>
    public TransportServices Services { get; }

    /// <summary>Gets the events of the transports and of the pool.</summary>
    public ManagerEvents Events { get; }

    /// <summary>Gets the transports in the pool, in no particular order.</summary>
    public IReadOnlyList<Transport> Transports => [.. _pool.Snapshot.Transports.Select(static pooled => pooled.Transport)];

    /// <summary>Creates a transport of the kind that takes these options, and adds it to the pool. Does not connect.</summary>
    /// <param name="options">The options of the transport.</param>
    /// <exception cref="ArgumentException">An option is missing, malformed or out of range, or no kind takes these options.</exception>
    /// <exception cref="PoolFullException">
    /// The pool holds <see cref="TransportManagerOptions.MaxTransports"/> transports, and none can be removed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public Transport Create(TransportOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Create(_options.Kinds.KindFor(options), options);
    }

    /// <summary>Creates a transport of the named kind, and adds it to the pool. Does not connect.</summary>
    /// <param name="kind">One of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</param>
    /// <param name="options">The options of the transport.</param>
    /// <exception cref="ArgumentException">
    /// The kind is unknown or takes other options, or an option is missing, malformed or out of range.
    /// </exception>
    /// <exception cref="PoolFullException">
    /// The pool holds <see cref="TransportManagerOptions.MaxTransports"/> transports, and none can be removed.
    /// </exception>
    /// <exception cref="ObjectDisposedException">The manager is disposed.</exception>
    public Transport Create(string kind, TransportOptions options) => Create(kind, options, Services);

    /// <summary>
    /// Creates a transport of the named kind with services of its own, and adds it to the pool. Does not connect. Derive the services from
    /// <see cref="Services"/>, so that the transport shares the circuit breakers: <c>manager.Services with { HttpHandler = handler }</c>.
    /// </summary>
    /// <param name="kind">One of the names of <see cref="TransportManagerOptions.Kinds"/>, such as <c>sse</c>.</param>
    /// <param name="options">The options of the transport.</param>
    /// <param name="services">Clock, random source, logging and HTTP handler of this transport.</param>
    /// <exception cref="ArgumentException">
    /// The kind is unknown or takes other options, or an option is missing, malformed, out of range or conflicts with the services.
    /// </exception>
    /// <exception cref="PoolFullException">
    /// The pool holds <see cref="TransportManagerOptions.MaxTransports"/> transports, and none can be removed.
    /// </exception>
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
            _ = transport.DisposeAsync().AsTask();      // never started, so there is nothing to wait for
            throw;
        }
    }

    /// <summary>
    /// Adds a transport that the application created. The manager then owns it and closes it. Create it with <see cref="Services"/>.
    /// </summary>
    /// <param name="transport">The transport.</param>
    /// <exception cref="ArgumentException">The transport is already in the pool.</exception>
    /// <exception cref="PoolFullException">
    /// The pool holds <see cref="TransportManagerOptions.MaxTransports"/> transports, and none can be removed.
    /// </exception>
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

    /// <summary>Gets the transport with this id, or <see langword="null"/>.</summary>
    /// <param name="id">The transport's <see cref="Transport.Id"/>.</param>
    public Transport? Find(string id) => _pool.TryGet(id, out var found) ? found.Transport : null;

    /// <summary>Gets the transports of one kind.</summary>
    /// <param name="kind">The <see cref="Transport.Kind"/>.</param>
    public IReadOnlyList<Transport> OfKind(string kind) =>
        [.. Transports.Where(transport => string.Equals(transport.Kind, kind, StringComparison.Ordinal))];

    /// <summary>Gets the transports that are in one state now.</summary>
    /// <param name="state">The state.</param>
    public IReadOnlyList<Transport> InState(TransportState state) => [.. Transports.Where(transport => transport.State == state)];

    /// <summary>Removes a transport from the pool and closes it.</summary>
    /// <param name="id">The transport's <see cref="Transport.Id"/>.</param>
    /// <param name="cancellationToken">
    /// Cancels the wait for the transport to close, which takes at most <see cref="TransportManagerOptions.CloseTimeout"/>.
    /// </param>
    /// <returns><see langword="true"/> if the transport was in the pool.</returns>
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

    /// <summary>Removes all transports from the pool and closes them at the same time.</summary>
    /// <param name="cancellationToken">
    /// Cancels the wait for the transports to close, which takes at most <see cref="TransportManagerOptions.CloseTimeout"/>.
    /// </param>
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

    /// <summary>Gets the metrics of each transport.</summary>
    public IReadOnlyList<TransportMetrics> GetMetrics() =>
        [.. _pool.Snapshot.Transports.Select(static pooled => pooled.Transport.GetMetrics())];

    /// <summary>Gets a summary of all transports.</summary>
    public TransportSummary GetSummary()
    {
        var (transports, created) = _pool.Snapshot;
        return TransportSummary.Of([.. transports.Select(static pooled => pooled.Transport.GetMetrics())], created, _options.MaxTransports);
    }

    /// <summary>Checks the health of all transports and raises the events of <see cref="Events"/>.</summary>
    public ManagerHealth CheckHealth() => _health.Check(_pool.Snapshot.Transports);

    /// <summary>Gets the health of one transport, or <see langword="null"/> if no transport has this id. Raises no event.</summary>
    /// <param name="id">The transport's <see cref="Transport.Id"/>.</param>
    public TransportHealth? GetHealth(string id) => Find(id) is { } transport ? _health.Of(transport) : null;

    /// <summary>
    /// Removes transports that ended, and transports without a reader that had no traffic for
    /// <see cref="TransportManagerOptions.MaxIdleTime"/>, and closes them in the background. A transport with unread messages stays. A
    /// failed transport stays as long as an idle one, because it may be connected again.
    /// </summary>
    /// <returns>The number of transports removed.</returns>
    public int Sweep() => Sweep(isRoomNeeded: false);

    /// <summary>
    /// Closes all transports, stops the health checks, and accepts no further transport. Takes at most
    /// <see cref="TransportManagerOptions.CloseTimeout"/>. Idempotent.
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
    /// Starts the work of <see cref="DisposeAsync"/> and returns without waiting for it. Intended for containers that are disposed
    /// synchronously.
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

    /// <summary>Skips a check while the previous one is still running.</summary>
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
