namespace Perennial.Management;

/// <summary>Options for <see cref="TransportManager"/>. Immutable; every value has a default.</summary>
public sealed record TransportManagerOptions
{
    /// <summary>Gets the largest number of transports in the pool. Default 100; 1 to 1,000,000.</summary>
    public int MaxTransports { get; init; } = 100;

    /// <summary>
    /// Gets how long a transport without a reader may have no traffic before a sweep removes it. Default 5 min; 1 s to 24 h, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for no limit.
    /// </summary>
    public TimeSpan MaxIdleTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets how often the manager checks health and, with <see cref="SweepsAutomatically"/>, sweeps the pool. Default 30 s; 100 ms to 24 h,
    /// or <see cref="Timeout.InfiniteTimeSpan"/> to check only by <see cref="TransportManager.CheckHealth"/>.
    /// </summary>
    public TimeSpan HealthCheckInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets whether every health check also sweeps the pool. Default <see langword="true"/>. A full pool is always swept before a transport
    /// is refused.
    /// </summary>
    public bool SweepsAutomatically { get; init; } = true;

    /// <summary>Gets how long the manager waits for transports to close. Default 10 s; 100 ms to 5 min.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets the options for the circuit breaker of each origin, or <see langword="null"/> for none. Default: the defaults of
    /// <see cref="CircuitBreakerOptions"/>. Not used if the services contain circuit breakers (<see cref="TransportServices.Breakers"/>).
    /// </summary>
    public CircuitBreakerOptions? CircuitBreaker { get; init; } = new();

    /// <summary>Gets the kinds of transport that the manager can create by name. Default: the kinds of the library.</summary>
    public TransportKinds Kinds { get; init; } = TransportKinds.Default;

    /// <summary>Validates every value. The manager's constructor calls it.</summary>
    /// <exception cref="ArgumentException">A value is missing; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the message names it and the range.</exception>
    public void Validate()
    {
        OptionCheck.Range(MaxTransports, 1, 1_000_000, nameof(MaxTransports));
        OptionCheck.RangeOrInfinite(MaxIdleTime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24), nameof(MaxIdleTime));
        OptionCheck.RangeOrInfinite(
            HealthCheckInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24), nameof(HealthCheckInterval));
        OptionCheck.Range(CloseTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5), nameof(CloseTimeout));
        OptionCheck.NotNull(Kinds, nameof(Kinds));
        CircuitBreaker?.Validate();
    }

    /// <summary>Returns all errors that <see cref="Validate"/> finds, not only the first.</summary>
    public IReadOnlyList<ArgumentException> FindErrors() => OptionCheck.Collect(Validate);
}
