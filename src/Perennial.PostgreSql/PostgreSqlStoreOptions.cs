using System.Text.RegularExpressions;

namespace Perennial.PostgreSql;

/// <summary>How runs are kept in PostgreSQL. Every default works as it is; nodes that share runs use the same schema and lease.</summary>
/// <remarks>Set up once in <c>AddPostgreSqlStore</c> and not changed afterwards; reading is safe from any thread.</remarks>
public sealed partial class PostgreSqlStoreOptions
{
    /// <summary>The schema that holds the tables, and the channel of the wake-ups. Default <c>perennial</c>.</summary>
    /// <remarks>
    /// 1 to 40 lower-case letters, digits and underscores, not beginning with a digit. It is created by the first node that starts and needs it;
    /// where it is there already, no right to create anything is needed.
    /// </remarks>
    public string Schema { get; set; } = "perennial";

    /// <summary>Within what time the readers of a run are told that the node that produced it is gone. Default 15 s; 50 ms to 1 hour.</summary>
    /// <remarks>
    /// The node renews its lease five times in this span, and has lost it after three fifths without a renewal while others watched. No clocks
    /// are compared, and a time in which the database was away counts for nobody.
    /// </remarks>
    public TimeSpan LeaseDuration { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a write waits for a database that is away before it fails, and the run with it. Default 30 s; zero to 1 hour.</summary>
    /// <remarks>Looked at after each failed attempt, so a database that hangs adds the command timeout of the connection string.</remarks>
    public TimeSpan WriteTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>The most bytes of events a node keeps to hand them to readers without asking the database. Default 64 MiB; 1 MiB to 1 TiB.</summary>
    /// <remarks>Counted as in <see cref="AspNetCore.PerennialServerOptions.MaxBytesPerRun"/>; each form in which an event is read comes on top.</remarks>
    public long MaxCachedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>The most bytes of events that wait to be written. Default 64 MiB; 1 MiB to 1 TiB.</summary>
    /// <remarks>
    /// A run that waits for its writes is never refused, for it has one of them here at a time: that is the backpressure. Beyond the limit the
    /// second event of a run that does not wait is refused, and its run ends as failed with the code <c>store_full</c>.
    /// </remarks>
    public long MaxQueuedBytes { get; set; } = 64 * 1024 * 1024;

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names the member and the range.</exception>
    public void Validate()
    {
        RequireName(Schema, nameof(Schema));
        Require(LeaseDuration, TimeSpan.FromMilliseconds(50), TimeSpan.FromHours(1), nameof(LeaseDuration));
        Require(WriteTimeout, TimeSpan.Zero, TimeSpan.FromHours(1), nameof(WriteTimeout));
        Require(MaxCachedBytes, 1L << 20, 1L << 40, nameof(MaxCachedBytes));
        Require(MaxQueuedBytes, 1L << 20, 1L << 40, nameof(MaxQueuedBytes));
    }

    private static void Require<T>(T value, T least, T most, string member) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(member, value, FormattableString.Invariant($"{member} must be from {least} to {most}."));
        }
    }

    private static void RequireName(string value, string member)
    {
        if (value is null || !SchemaForm().IsMatch(value))
        {
            throw new ArgumentOutOfRangeException(member, value, $"{member} must be 1 to 40 of a-z, 0-9 and underscore, not beginning with a digit.");
        }
    }

    [GeneratedRegex(@"\A[a-z_][a-z0-9_]{0,39}\z", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex SchemaForm();
}
