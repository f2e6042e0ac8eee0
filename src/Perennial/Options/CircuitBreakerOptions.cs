namespace Perennial;

/// <summary>
/// Options for the circuit breaker that the transports of one origin (scheme, host and port) share. After repeated failures the breaker
/// opens: one transport probes the origin, and the others wait for the result.
/// </summary>
public sealed record CircuitBreakerOptions
{
    /// <summary>
    /// Gets the number of failed connection attempts within <see cref="SamplingTime"/> that opens the breaker, if at least half of all
    /// attempts failed. Default 5; 2 to 1000.
    /// </summary>
    public int Failures { get; init; } = 5;

    /// <summary>Gets how long an attempt counts. Default 30 s; 1 s to 1 h.</summary>
    public TimeSpan SamplingTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Gets the delay before the first probe. It doubles with each failed probe. Default 5 s; 500 ms to 1 h.</summary>
    public TimeSpan BreakTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Gets the longest delay before a probe. Default 1 min; 500 ms to 24 h, and at least <see cref="BreakTime"/>.</summary>
    public TimeSpan MaxBreakTime { get; init; } = TimeSpan.FromMinutes(1);

    internal void Validate()
    {
        OptionCheck.Range(Failures, 2, 1000, $"CircuitBreaker.{nameof(Failures)}");
        OptionCheck.Range(SamplingTime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), $"CircuitBreaker.{nameof(SamplingTime)}");
        OptionCheck.Range(BreakTime, TimeSpan.FromMilliseconds(500), TimeSpan.FromHours(1), $"CircuitBreaker.{nameof(BreakTime)}");
        OptionCheck.Range(MaxBreakTime, TimeSpan.FromMilliseconds(500), TimeSpan.FromHours(24), $"CircuitBreaker.{nameof(MaxBreakTime)}");
        OptionCheck.Require(
            MaxBreakTime >= BreakTime,
            $"CircuitBreaker.{nameof(MaxBreakTime)}",
            $"CircuitBreaker.{nameof(MaxBreakTime)} must be at least {nameof(BreakTime)}.");
    }
}
