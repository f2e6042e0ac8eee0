namespace Perennial.Engine;

/// <summary>
/// Decides after each failure whether and when to try again. Keeps the count of consecutive failures and the delay that the server
/// requested. Used by the connection loop only.
/// </summary>
internal sealed class ReconnectPolicy(ReconnectOptions options, Random random)
{
    /// <summary>The shortest delay that a server can set, so that the client does not reconnect in a tight loop.</summary>
    private static readonly TimeSpan LeastServerDelay = TimeSpan.FromMilliseconds(250);

    private TimeSpan _initialDelay = options.InitialDelay;

    /// <summary>The number of consecutive failures without progress in between.</summary>
    public int Failures { get; private set; }

    /// <summary>
    /// Sets a delay from the server in place of <see cref="ReconnectOptions.InitialDelay"/>. It is at least 250 ms, or at least the initial
    /// delay if that is shorter.
    /// </summary>
    public void UseServerDelay(TimeSpan delay)
    {
        var least = options.InitialDelay < LeastServerDelay ? options.InitialDelay : LeastServerDelay;
        _initialDelay = delay < least ? least : delay;
    }

    /// <summary>Resets the count, because the stream made progress or a connection lasted long enough.</summary>
    public void Clear() => Failures = 0;

    /// <summary>Counts a failure, and decides whether and when to try again.</summary>
    /// <param name="error">The error.</param>
    /// <param name="isExcused">Whether the failure does not count. The first failure always counts.</param>
    /// <returns>The delay before the next attempt, or the error that ends the stream.</returns>
    public (TimeSpan? Delay, TransportException Error) AfterFailure(TransportException error, bool isExcused = false)
    {
        Failures += isExcused && Failures > 0 ? 0 : 1;
        if (error.Code == TransportErrorCode.Interrupted)
        {
            return (null, error);       // another attempt would repeat a side effect; no option can override this
        }

        var isWorthIt = options.ShouldRetry?.Invoke(new RetryContext
        {
            Error = error,
            Attempt = Failures,
            IsTransient = error.IsTransient,
        }) ?? error.IsTransient;
        if (!isWorthIt || !options.Enabled)
        {
            return (null, error);
        }

        if (Failures > options.MaxAttempts)
        {
            return (null, error.AsFinal(
                TransportErrorCode.AttemptsExhausted, $"Gave up after {Failures} failed attempts. The last error was: {error.Message}"));
        }

        if (error.RetryAfter > options.MaxRetryAfter)
        {
            return (null, error.AsFinal(
                TransportErrorCode.RetryAfterTooLong,
                $"The server requested a delay of {error.RetryAfter}, which is longer than MaxRetryAfter ({options.MaxRetryAfter})."));
        }

        var delay = DelayFor(Failures);
        return (error.RetryAfter > delay ? error.RetryAfter : delay, error);
    }

    /// <summary>The delay before attempt <paramref name="attempt"/>, from 1.</summary>
    public TimeSpan DelayFor(int attempt)
    {
        var grown = _initialDelay.Ticks * Math.Pow(options.Multiplier, attempt - 1);
        var ticks = (long)Math.Min(grown, options.MaxDelay.Ticks);
        return TimeSpan.FromTicks(options.Jitter && ticks > 0 ? random.NextInt64(ticks / 2, ticks + 1) : ticks);
    }
}
