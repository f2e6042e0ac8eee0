namespace Perennial.AspNetCore;

/// <summary>Options for the server: its limits, retention and heartbeats. Every default works without changes.</summary>
/// <remarks>Set in <c>AddPerennialServer</c> and not changed afterwards. Reading is safe from any thread.</remarks>
public sealed class PerennialServerOptions
{
    /// <summary>Gets or sets how long a response may be silent before the server sends a heartbeat. Default 15 s; 1 ms to 1 hour.</summary>
    /// <remarks>Announced in the header <c>Perennial-Heartbeat</c>, so that clients can detect a lost connection by its silence.</remarks>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>
    /// Gets or sets how long the server holds a long poll while there is no new event. Default 20 s, shorter than the timeouts of common
    /// proxies; zero to 5 min.
    /// </summary>
    public TimeSpan LongPollHold { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>Gets or sets how long a run can still be read after its end. Default 5 min; zero to 7 days.</summary>
    /// <remarks>
    /// <see cref="RunOptions.Retention"/> sets another time for one run. Afterwards its URL answers 404. With runs in memory, a reader that
    /// is already connected still gets all events.
    /// </remarks>
    public TimeSpan FinishedRunRetention { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>
    /// Gets or sets the most bytes of events that one run may hold: data, types and 64 bytes for each event. Default 16 MiB; 1 KiB to 1
    /// GiB.
    /// </summary>
    /// <remarks>An event beyond the limit is not recorded, and the run ends as failed with the code <c>run_too_large</c>.</remarks>
    public long MaxBytesPerRun { get; set; } = 16 * 1024 * 1024;

    /// <summary>
    /// Gets or sets the most bytes of events that all runs in memory may hold, counted in the same way. Default 1 GiB; 1 KiB to 1 TiB.
    /// </summary>
    /// <remarks>
    /// When the limit is reached, the server forgets finished runs early, those with the least time left first. If all runs are still open,
    /// the run that needs more memory ends as failed with the code <c>store_full</c>. In addition, an event takes its encoded size once for
    /// each form in which it is read.
    /// </remarks>
    public long MaxBytesInMemory { get; set; } = 1L << 30;

    /// <summary>Gets or sets the largest message to a producer, in bytes. Default 1 MiB; 0 to 1 GiB.</summary>
    /// <remarks>
    /// The server refuses a larger message, over HTTP with 413. Over a WebSocket it also refuses a message whose JSON is more than twice
    /// this size.
    /// </remarks>
    public int MaxMessageBytes { get; set; } = 1024 * 1024;

    /// <summary>
    /// Gets or sets the most bytes of messages that may wait for the producer of one run, with 64 bytes for each message. Default 4 MiB; 0
    /// to 1 GiB.
    /// </summary>
    /// <remarks>
    /// When the limit is reached, a POST gets 429 with <c>Retry-After</c>, and the server stops reading from a WebSocket. If no message
    /// waits, one is accepted whatever its size.
    /// </remarks>
    public long MaxPendingMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>Gets or sets the most runs that this process produces at once. Default 10,000; 1 to 1,000,000.</summary>
    public int MaxRuns { get; set; } = 10_000;

    /// <summary>
    /// Gets or sets the most readers that this process serves at once, including held polls. Default 20,000; 1 to 10,000,000.
    /// </summary>
    /// <remarks>Over HTTP further readers get 503 with <c>Retry-After</c>.</remarks>
    public int MaxReaders { get; set; } = 20_000;

    /// <summary>Gets or sets the most readers of one run that this process serves at once. Default 10,000; 1 to 10,000,000.</summary>
    /// <remarks>Over HTTP further readers get 429 with <c>Retry-After</c>.</remarks>
    public int MaxReadersPerRun { get; set; } = 10_000;

    /// <summary>
    /// Gets or sets the most messages per second, and in one burst, that this process accepts for one run, by POST and over WebSockets
    /// together. Default 1,000; 1 to 1,000,000.
    /// </summary>
    /// <remarks>
    /// Further POSTs get 429 with <c>Retry-After</c>. The server stops reading from a WebSocket until the next message is allowed.
    /// </remarks>
    public int MaxMessagesPerSecond { get; set; } = 1000;

    /// <summary>
    /// Gets or sets how long a reader may leave sent data unread before the server aborts its connection. Default 5 min; 1 s to 1 day.
    /// </summary>
    /// <remarks>Until then it takes only its socket's buffers. It may reconnect and resume.</remarks>
    public TimeSpan ReaderStallLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Gets the options for requests that start a run with an <c>Idempotency-Key</c>.</summary>
    public StartOptions Starts { get; } = new();

    /// <summary>Gets the options for WebSockets.</summary>
    public WebSocketServerOptions WebSockets { get; } = new();

    /// <summary>
    /// Gets the dialects of the application's own. <see cref="RunOptions.Dialect"/> accepts these and
    /// <see cref="Perennial.Dialects.Known"/>. Empty by default. Add the same ones on all nodes that share a store: a store keeps only the
    /// name of a run's dialect.
    /// </summary>
    public IList<Dialect> Dialects { get; } = [];

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names the member and the range.</exception>
    /// <exception cref="ArgumentException">A dialect is null, or has the name of another one.</exception>
    public void Validate()
    {
        Require(HeartbeatInterval, TimeSpan.FromMilliseconds(1), TimeSpan.FromHours(1), nameof(HeartbeatInterval));
        Require(LongPollHold, TimeSpan.Zero, TimeSpan.FromMinutes(5), nameof(LongPollHold));
        Require(FinishedRunRetention, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(FinishedRunRetention));
        Require(MaxBytesPerRun, 1024, 1L << 30, nameof(MaxBytesPerRun));
        Require(MaxBytesInMemory, 1024, 1L << 40, nameof(MaxBytesInMemory));
        Require(MaxMessageBytes, 0, 1 << 30, nameof(MaxMessageBytes));
        Require(MaxPendingMessageBytes, 0, 1L << 30, nameof(MaxPendingMessageBytes));
        Require(MaxReaders, 1, 10_000_000, nameof(MaxReaders));
        Require(MaxReadersPerRun, 1, 10_000_000, nameof(MaxReadersPerRun));
        Require(MaxMessagesPerSecond, 1, 1_000_000, nameof(MaxMessagesPerSecond));
        Require(ReaderStallLimit, TimeSpan.FromSeconds(1), TimeSpan.FromDays(1), nameof(ReaderStallLimit));
        Require(MaxRuns, 1, 1_000_000, nameof(MaxRuns));
        Starts.Validate();
        WebSockets.Validate();
        ValidateDialects();
    }

    /// <summary>Finds a dialect by the name that a store keeps; null if this process does not know it.</summary>
    internal Dialect? FindDialect(string name)
    {
        var isKnown = Perennial.Dialects.TryGet(name, out var known)
            && known != Perennial.Dialects.Recognized
            && known != Perennial.Dialects.None;
        return isKnown ? known : Dialects.FirstOrDefault(own => string.Equals(own.Name, name, StringComparison.Ordinal));
    }

    private void ValidateDialects()
    {
        foreach (var dialect in Dialects)
        {
            if (dialect is null || Perennial.Dialects.TryGet(dialect.Name, out _) || FindDialect(dialect.Name) != dialect)
            {
                throw Invalid(nameof(Dialects), $"must not contain null, or a dialect with the name of another one, such as '{dialect}'");
            }
        }
    }

    internal static void Require<T>(T value, T least, T most, string member) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(member, value, FormattableString.Invariant($"{member} must be from {least} to {most}."));
        }
    }

    internal static ArgumentException Invalid(string member, string rule) => new($"{member} {rule}.", member);
}
