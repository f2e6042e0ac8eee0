namespace Perennial.Engine;

/// <summary>
/// Decides after each failure whether and when to try again. Keeps the count of consecutive failures and the delay the server
/// asked for. Used by the connection loop alone.
/// </summary>
internal sealed class ReconnectPolicy(ReconnectOptions options, Random random)
{
    /// <summary>A server that asks for less would be asked again and again without a pause.</summary>
    private static readonly TimeSpan LeastServerDelay = TimeSpan.FromMilliseconds(250);

    private TimeSpan _initialDelay = options.InitialDelay;

    /// <summary>Consecutive tries that failed without progress in between.</summary>
    public int Failures { get; private set; }

    /// <summary>
    /// Takes a delay from the server in place of <see cref="ReconnectOptions.InitialDelay"/>. It is at least 250 ms, unless the caller's own
    /// is shorter.
    /// </summary>
    public void UseServerDelay(TimeSpan delay)
    {
        var least = options.InitialDelay < LeastServerDelay ? options.InitialDelay : LeastServerDelay;
        _initialDelay = delay < least ? least : delay;
    }

    /// <summary>Forgets earlier failures: the stream made progress, or a connection proved stable.</summary>
    public void Clear() => Failures = 0;

    /// <summary>Counts a failure and decides what follows.</summary>
    /// <param name="error">What went wrong.</param>
    /// <param name="isExcused">Whether it does not count, unless it is the first.</param>
    /// <returns>The wait before the next attempt, or the error that ends the stream.</returns>
    public (TimeSpan? Delay, TransportException Error) AfterFailure(TransportException error, bool isExcused = false)
    {
        Failures += isExcused && Failures > 0 ? 0 : 1;
        if (error.Code == TransportErrorCode.Interrupted)
        {
            return (null, error);       // going on would repeat a side effect: not for anyone to overrule
        }

        var isWorthIt = options.ShouldRetry?.Invoke(new RetryContext(error, Failures, error.IsTransient)) ?? error.IsTransient;
        if (!isWorthIt || !options.Enabled)
        {
            return (null, error);
        }

        if (Failures > options.MaxAttempts)
        {
            return (null, error.AsFinal(TransportErrorCode.AttemptsExhausted, $"Gave up after {Failures} tries. Last: {error.Message}"));
        }

        if (error.RetryAfter > options.MaxRetryAfter)
        {
            return (null, error.AsFinal(
                TransportErrorCode.RetryAfterTooLong,
                $"The server asked for a wait of {error.RetryAfter}, which is longer than MaxRetryAfter ({options.MaxRetryAfter})."));
        }

        var delay = DelayFor(Failures);
        return (error.RetryAfter > delay ? error.RetryAfter : delay, error);
    }

    /// <summary>The wait before attempt <paramref name="attempt"/>, from 1.</summary>
    public TimeSpan DelayFor(int attempt)
    {
        var grown = _initialDelay.Ticks * Math.Pow(options.Multiplier, attempt - 1);
        var ticks = (long)Math.Min(grown, options.MaxDelay.Ticks);
        return TimeSpan.FromTicks(options.Jitter && ticks > 0 ? random.NextInt64(ticks / 2, ticks + 1) : ticks);
    }
}
