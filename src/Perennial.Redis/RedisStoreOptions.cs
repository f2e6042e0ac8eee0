using System.Text.RegularExpressions;
using Perennial.GroupCommit;

namespace Perennial.Redis;

/// <summary>
/// Options for runs in Redis. Every default works without changes. Nodes that share runs must use the same prefix and lease.
/// </summary>
/// <remarks>Set in <c>AddRedisStore</c> and not changed afterwards. Reading is safe from any thread.</remarks>
public sealed partial class RedisStoreOptions
{
    /// <summary>
    /// Gets or sets the text that all keys begin with, in braces, and the channel of the wake-ups as well. Default <c>perennial</c>.
    /// </summary>
    /// <remarks>
    /// 1 to 40 letters, digits, hyphens, underscores, dots and colons. The braces keep all keys of a prefix on one shard of a cluster
    /// (Redis Cluster, hash tags), because starting a run and ending the runs of a lost node change several keys at once.
    /// </remarks>
    public string KeyPrefix { get; set; } = "perennial";

    /// <summary>
    /// Gets or sets the longest time until the runs of a node that is gone end as failed for their readers. Default 15 s; 50 ms to 1 hour.
    /// </summary>
    /// <remarks>
    /// A node renews its lease five times in this time, and loses it after three fifths of the time without a renewal while other nodes
    /// watch. Clocks are not compared, and time in which Redis was unavailable does not count.
    /// </remarks>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets or sets how long a write waits for an unavailable Redis before the write and its run fail. Default 30 s; zero to 1 hour.
    /// </summary>
    /// <remarks>Checked after each failed attempt, so a Redis that hangs adds the <c>asyncTimeout</c> of the configuration.</remarks>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// Gets or sets the most bytes of events that a node caches, to serve readers without a query. Default 64 MiB; 1 MiB to 1 TiB.
    /// </summary>
    /// <remarks>
    /// Counted as in <see cref="AspNetCore.PerennialServerOptions.MaxBytesPerRun"/>. Each form in which an event is read takes its bytes in
    /// addition.
    /// </remarks>
    public long MaxCachedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Gets or sets the most bytes of events that wait to be written. Default 64 MiB; 1 MiB to 1 TiB.</summary>
    /// <remarks>
    /// A run that waits for each of its writes is never refused, because it has only one event here at a time. This is its backpressure.
    /// Beyond the limit the second event of a run that does not wait is refused, and the run ends as failed with the code
    /// <c>store_full</c>.
    /// </remarks>
    public long MaxQueuedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names the member and the range.</exception>
    public void Validate()
    {
        RequirePrefix(KeyPrefix, nameof(KeyPrefix));
        OptionRange.Require(LeaseDuration, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1), nameof(LeaseDuration));
        OptionRange.Require(WriteTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(WriteTimeout));
        OptionRange.Require(MaxCachedBytes, 1L << 20, 1L << 40, nameof(MaxCachedBytes));
        OptionRange.Require(MaxQueuedBytes, 1L << 20, 1L << 40, nameof(MaxQueuedBytes));
    }

    private static void RequirePrefix(string value, string member)
    {
        if (value is null || !PrefixForm().IsMatch(value))
        {
            throw new ArgumentOutOfRangeException(
                member, value, $"{member} must be 1 to 40 characters of a-z, A-Z, 0-9, '-', '_', '.' and ':'.");
        }
    }

    [GeneratedRegex(@"\A[a-zA-Z0-9_.:-]{1,40}\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex PrefixForm();
}
