namespace Perennial.AspNetCore;

/// <summary>Options for requests that start a run with an <c>Idempotency-Key</c>. Every default works without changes.</summary>
/// <remarks>Set in <c>AddPerennialServer</c> and not changed afterwards.</remarks>
public sealed class StartOptions
{
    /// <summary>Gets or sets how long a key is remembered, from its first request. Default 1 hour; 1 min to 7 days.</summary>
    public TimeSpan KeyRetention { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Gets or sets the most keys that the store remembers. Default 100,000; 1 to 10,000,000. The oldest key that has a run is forgotten
    /// first.
    /// </summary>
    /// <remarks>In memory a key takes about 400 bytes.</remarks>
    public int MaxKeys { get; set; } = 100_000;

    /// <summary>
    /// Gets or sets the largest body of a request with a key, in bytes. Default 30 MB, like Kestrel's own limit; 0 to 1 GiB. The server
    /// refuses a larger body with 413.
    /// </summary>
    /// <remarks>The body is kept while it is compared: up to 64 KiB in memory, the rest in a temporary file.</remarks>
    public long MaxBodyBytes { get; set; } = 30_000_000;

    /// <summary>
    /// Gets or sets how long a repeat waits while the first request is being handled. Default 20 s; zero to 5 min. Then it gets 503 with
    /// <c>Retry-After</c>.
    /// </summary>
    public TimeSpan MaxWait { get; set; } = TimeSpan.FromSeconds(20);

    internal void Validate()
    {
        PerennialServerOptions.Require(KeyRetention, TimeSpan.FromMinutes(1), TimeSpan.FromDays(7), nameof(KeyRetention));
        PerennialServerOptions.Require(MaxKeys, 1, 10_000_000, nameof(MaxKeys));
        PerennialServerOptions.Require(MaxBodyBytes, 0, 1L << 30, nameof(MaxBodyBytes));
        PerennialServerOptions.Require(MaxWait, TimeSpan.Zero, TimeSpan.FromMinutes(5), nameof(MaxWait));
    }
}
