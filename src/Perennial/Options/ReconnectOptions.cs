using System.Collections.Frozen;
using System.Net;

namespace Perennial;

/// <summary>
/// Options for reconnecting after a connection is lost. The delay before attempt n is the smaller of <see cref="InitialDelay"/> x
/// <see cref="Multiplier"/>^(n-1) and <see cref="MaxDelay"/>. With jitter it is a random value between half of that and all of it.
/// </summary>
public sealed record ReconnectOptions
{
    /// <summary>The value of <see cref="MaxAttempts"/> that allows any number of attempts.</summary>
    public const int Unlimited = int.MaxValue;

    /// <summary>Gets whether the transport reconnects. Default <see langword="true"/>.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>
    /// Gets the number of attempts after the first failure. Default 5; 0 or more. The count restarts at 0 when a connection has lasted for
    /// <see cref="StableAfter"/>, or when it delivered a message whose id differs from the one after which it resumed. A successful
    /// handshake does not restart it, and neither do messages without ids, which a server may send again. While this machine has no
    /// network, attempts to connect to other machines are not counted, and the next attempt waits for a network, for at most 10 min.
    /// </summary>
    public int MaxAttempts { get; init; } = 5;

    /// <summary>
    /// Gets the delay before the first attempt. Default 1 s; 0 to 1 h. A server's <c>retry:</c> field replaces it with a delay of at least
    /// 250 ms, or of at least this value if it is shorter.
    /// </summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Gets the factor by which each delay is longer than the one before. Default 2; 1 to 100.</summary>
    public double Multiplier { get; init; } = 2;

    /// <summary>Gets the longest delay, including jitter and the <c>retry:</c> field. Default 30 s; 0 to 24 h.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets whether delays are randomized, so that many clients do not reconnect at the same time. Default <see langword="true"/>.
    /// </summary>
    public bool Jitter { get; init; } = true;

    /// <summary>Gets how long a connection must last to restart the count of attempts. Default 10 s; 0 to 24 h.</summary>
    public TimeSpan StableAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Gets the longest <c>Retry-After</c> (or <c>retry-after-ms</c>) that the transport waits for, even if it is longer than
    /// <see cref="MaxDelay"/>. A longer one ends the stream with <see cref="TransportErrorCode.RetryAfterTooLong"/>; a value that is
    /// neither digits nor a date is ignored. Default 1 h; 0 to 24 h.
    /// </summary>
    public TimeSpan MaxRetryAfter { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets the HTTP statuses after which the transport tries again. Default 408, 425, 429, 500, 502, 503, 504, and those that proxies and
    /// model providers add: 520 to 524, 529, 530. All other error statuses are final.
    /// </summary>
    public IReadOnlySet<HttpStatusCode> RetryStatusCodes { get; init; } = DefaultRetryStatusCodes;

    /// <summary>
    /// Gets a callback that decides whether the transport tries again after an error. It cannot override <see cref="MaxAttempts"/>, replay
    /// safety and <see cref="Enabled"/>. Default <see langword="null"/>: <see cref="RetryContext.IsTransient"/> decides.
    /// </summary>
    public Func<RetryContext, bool>? ShouldRetry { get; init; }

    private static IReadOnlySet<HttpStatusCode> DefaultRetryStatusCodes { get; } =
        new[] { 408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 529, 530 }.Select(
            static status => (HttpStatusCode)status).ToFrozenSet();

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

/// <summary>The argument of <see cref="ReconnectOptions.ShouldRetry"/>.</summary>
public readonly record struct RetryContext
{
    /// <summary>Gets the error that ended the connection or the attempt.</summary>
    public required TransportException Error { get; init; }

    /// <summary>Gets the number of the next attempt, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>Gets the decision without <see cref="ReconnectOptions.ShouldRetry"/>.</summary>
    public required bool IsTransient { get; init; }
}
