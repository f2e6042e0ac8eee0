using System.Collections.Frozen;
using System.Net;

namespace Perennial;

/// <summary>
/// How lost connections are replaced. The wait before attempt n is the smaller of <see cref="InitialDelay"/> x
/// <see cref="Multiplier"/>^(n-1) and <see cref="MaxDelay"/>; with jitter, anything between half of it and all of it.
/// </summary>
public sealed record ReconnectOptions
{
    /// <summary>For <see cref="MaxAttempts"/>: never give up.</summary>
    public const int Unlimited = int.MaxValue;

    /// <summary>Whether to reconnect at all. Default <see langword="true"/>.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Attempts after the one that failed first. Default 5; 0 or more. The count clears when a connection stood for
    /// <see cref="StableAfter"/>, or delivered a message with an id of its own that is not the one after which it resumed; never at a mere
    /// handshake, and not by messages that a server without ids may send again. While this machine has no network, attempts to connect to
    /// other machines are not counted and the next one waits for a network, for ten minutes at most.
    /// </summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>The first wait. Default 1 s; 0 to 1 h. A server's <c>retry:</c> takes its place, and is
    /// at least 250 ms, or this value where that is shorter.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How much longer each wait is than the one before. Default 2; 1 to 100.</summary>
    public double Multiplier { get; init; } = 2;

    /// <summary>The longest wait, jitter and <c>retry:</c> included. Default 30 s; 0 to 24 h.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Whether waits are spread at random, so that many clients do not return at once. Default <see langword="true"/>.</summary>
    public bool Jitter { get; init; } = true;

    /// <summary>How long a connection must stand to count as progress. Default 10 s; 0 to 24 h.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// The longest <c>Retry-After</c> (or <c>retry-after-ms</c>) that is obeyed; one that is neither digits nor a date is ignored. Up to here it is, even beyond <see cref="MaxDelay"/>; a longer one ends the
    /// stream with <see cref="TransportErrorCode.RetryAfterTooLong"/>. Default 1 h; 0 to 24 h.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// The HTTP statuses worth another attempt. Default 408, 425, 429, 500, 502, 503, 504, and what proxies and model providers add to
    /// them: 520 to 524, 529, 530. All others are final.
    /// </summary>
    public IReadOnlySet<HttpStatusCode> RetryStatusCodes { get; init; } = DefaultRetryStatusCodes;

    /// <summary>
    /// Has the last word on whether an error is worth another attempt; attempts, replay safety and <see cref="Enabled"/> still
    /// hold. Default <see langword="null"/>: <see cref="RetryContext.IsTransient"/> decides.
    /// </summary>
    public Func<RetryContext, bool>? ShouldRetry { get; init; }

    private static IReadOnlySet<HttpStatusCode> DefaultRetryStatusCodes { get; } =
        new[] { 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530 }.Select(static status => (HttpStatusCode)status).ToFrozenSet();

    internal void Validate()
    {
        OptionCheck.Range(MaxAttempts, 0, Unlimited, $"Reconnect.{nameof(MaxAttempts)}");
        OptionCheck.Range(InitialDelay, TimeSpan.Zero, TimeSpan.FromHours(1), $"Reconnect.{nameof(InitialDelay)}");
        OptionCheck.Range(Multiplier, 1, 100, $"Reconnect.{nameof(Multiplier)}");
        OptionCheck.Range(MaxDelay, TimeSpan.Zero, TimeSpan.FromHours(24), $"Reconnect.{nameof(MaxDelay)}");
        OptionCheck.Range(StableAfter, TimeSpan.Zero, TimeSpan.FromHours(24), $"Reconnect.{nameof(StableAfter)}");
        OptionCheck.Range(MaxRetryAfter, TimeSpan.Zero, TimeSpan.FromHours(24), $"Reconnect.{nameof(MaxRetryAfter)}");
        OptionCheck.NotNull(RetryStatusCodes, $"Reconnect.{nameof(RetryStatusCodes)}");
    }
}

/// <summary>What <see cref="ReconnectOptions.ShouldRetry"/> may know.</summary>
/// <param name="Error">What went wrong.</param>
/// <param name="Attempt">The number the next attempt would have, from 1.</param>
/// <param name="IsTransient">What would be decided without <see cref="ReconnectOptions.ShouldRetry"/>.</param>
public readonly record struct RetryContext(TransportException Error, int Attempt, bool IsTransient);
