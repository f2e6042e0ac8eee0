namespace Perennial;

/// <summary>
/// When the transports of one origin (scheme, host and port) stop trying on their own: after repeated failures one of them probes for
/// all, and the others wait for what it finds.
/// </summary>
public sealed record CircuitBreakerOptions
{
    /// <summary>Failed connects within <see cref="SamplingTime"/> that open the breaker, where at least half of all failed. Default 5; 2 to 1000.</summary>
    public int Failures { get; init; } = 5;

    /// <summary>How long a failure is remembered. Default 30 s; 1 s to 1 h.</summary>
    public TimeSpan SamplingTime { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>The wait before the first probe; it doubles with each that fails. Default 5 s; 500 ms to 1 h.</summary>
    public TimeSpan BreakTime { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The longest wait before a probe. Default 1 min; 500 ms to 24 h, and at least <see cref="BreakTime"/>.</summary>
    public TimeSpan MaxBreakTime { get; init; } = TimeSpan.FromMinutes(1);

    internal void Validate()
    {
        OptionCheck.Range(Failures, 2, 1000, $"CircuitBreaker.{nameof(Failures)}");
        OptionCheck.Range(SamplingTime, TimeSpan.FromSeconds(1), TimeSpan.FromHours(1), $"CircuitBreaker.{nameof(SamplingTime)}");
        OptionCheck.Range(BreakTime, TimeSpan.FromMilliseconds(500), TimeSpan.FromHours(1), $"CircuitBreaker.{nameof(BreakTime)}");
        OptionCheck.Range(MaxBreakTime, TimeSpan.FromMilliseconds(500), TimeSpan.FromHours(24), $"CircuitBreaker.{nameof(MaxBreakTime)}");
        OptionCheck.Require(
            MaxBreakTime >= BreakTime, $"CircuitBreaker.{nameof(MaxBreakTime)}", $"CircuitBreaker.{nameof(MaxBreakTime)} must be at least {nameof(BreakTime)}.");
    }
}
