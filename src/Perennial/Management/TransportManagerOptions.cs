namespace Perennial.Management;

/// <summary>What a <see cref="TransportManager"/> can be told. Immutable; everything has a default.</summary>
public sealed record TransportManagerOptions
{
    /// <summary>How many transports there may be at a time. Default 100; 1 to 1,000,000.</summary>
    public int MaxTransports { get; init; } = 100;

    /// <summary>
    /// How long a transport may be without traffic before it is swept, provided that nobody reads it. Default 5 min; 1 s to 24 h, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for never.
    /// </summary>
    public TimeSpan MaxIdleTime { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// How often health is checked and, with <see cref="SweepsAutomatically"/>, the pool is swept. Default 30 s; 100 ms to 24 h, or
    /// <see cref="Timeout.InfiniteTimeSpan"/> for only when asked.
    /// </summary>
    public TimeSpan HealthCheckInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether the pool is swept at every check. Default <see langword="true"/>. A full pool is swept in any case.</summary>
    public bool SweepsAutomatically { get; init; } = true;

    /// <summary>How long closing may take before what is still closing is left behind. Default 10 s; 100 ms to 5 min.</summary>
    public TimeSpan CloseTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// When transports of one origin stop trying on their own. <see langword="null"/>: never. Default: as the record says. Not used where
    /// the services bring breakers (<see cref="TransportServices.Breakers"/>).
    /// </summary>
    public CircuitBreakerOptions? CircuitBreaker { get; init; } = new();

    /// <summary>The kinds of transport that can be created by name. Default: all that the library has.</summary>
    public TransportKinds Kinds { get; init; } = TransportKinds.Default;

    /// <summary>Checks every value. Called by the manager's constructor.</summary>
    /// <exception cref="ArgumentException">A value is missing; the message names it.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A value is out of range; the message names it and the range.</exception>
    public void Validate()
    {
        OptionCheck.Range(MaxTransports, 1, 1_000_000, nameof(MaxTransports));
        OptionCheck.RangeOrInfinite(MaxIdleTime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(24), nameof(MaxIdleTime));
        OptionCheck.RangeOrInfinite(HealthCheckInterval, TimeSpan.FromMilliseconds(100), TimeSpan.FromHours(24), nameof(HealthCheckInterval));
        OptionCheck.Range(CloseTimeout, TimeSpan.FromMilliseconds(100), TimeSpan.FromMinutes(5), nameof(CloseTimeout));
        OptionCheck.NotNull(Kinds, nameof(Kinds));
        CircuitBreaker?.Validate();
    }

    /// <summary>Everything that <see cref="Validate"/> would refuse, not only the first.</summary>
    public IReadOnlyList<ArgumentException> FindErrors() => OptionCheck.Collect(Validate);
}
