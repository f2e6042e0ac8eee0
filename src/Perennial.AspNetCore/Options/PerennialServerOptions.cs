namespace Perennial.AspNetCore;

/// <summary>What the server keeps, for how long and how often it shows that it is alive. Every default works as it is.</summary>
/// <remarks>Set up once in <c>AddPerennialServer</c> and not changed afterwards; reading is safe from any thread.</remarks>
public sealed class PerennialServerOptions
{
    /// <summary>How long a response may be silent before a heartbeat is sent. Default 15 s; 1 ms to 1 hour.</summary>
    /// <remarks>Announced in the header <c>Perennial-Heartbeat</c>, so that a client knows when silence means a dead line.</remarks>
    public TimeSpan HeartbeatInterval { get; set; } = TimeSpan.FromSeconds(15);

    /// <summary>How long a long poll is held while there is nothing new. Default 20 s, less than common proxies wait; zero to 5 min.</summary>
    public TimeSpan LongPollHold { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How long a run can still be read after its end. Default 5 min; zero to 7 days.</summary>
    /// <remarks><see cref="RunOptions.Retention"/> says otherwise for one run. Afterwards its URL answers 404. From memory, a reader that is already connected still gets everything.</remarks>
    public TimeSpan FinishedRunRetention { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>The most bytes of events one run may hold: data, types and 64 bytes for each event. Default 16 MiB; 1 KiB to 1 GiB.</summary>
    /// <remarks>The event that would exceed it is not recorded; the run ends as failed with the code <c>run_too_large</c>.</remarks>
    public long MaxBytesPerRun { get; set; } = 16 * 1024 * 1024;

    /// <summary>The most bytes of events all runs in memory may hold, counted in the same way. Default 1 GiB; 1 KiB to 1 TiB.</summary>
    /// <remarks>
    /// When it is reached, the finished runs whose time would be over first are forgotten before it; where all are still open, the run that wants more ends
    /// as failed with the code <c>store_full</c>. Beyond this, an event takes its encoded size once for each form in which it is read.
    /// </remarks>
    public long MaxBytesInMemory { get; set; } = 1L << 30;

    /// <summary>The largest message to a producer, in bytes. Default 1 MiB; 0 to 1 GiB.</summary>
    /// <remarks>A larger one is refused: over HTTP by 413. Over a WebSocket, so is one that takes more than twice as much as JSON.</remarks>
    public int MaxMessageBytes { get; set; } = 1024 * 1024;

    /// <summary>The most bytes of messages that may wait for the producer of one run, 64 for each included. Default 4 MiB; 0 to 1 GiB.</summary>
    /// <remarks>Where it is reached, senders are asked to come back later. One message is always taken when none waits.</remarks>
    public long MaxPendingMessageBytes { get; set; } = 4 * 1024 * 1024;

    /// <summary>The most runs this process produces at once. Default 10,000; 1 to 1,000,000.</summary>
    public int MaxRuns { get; set; } = 10_000;

    /// <summary>The most readers this process serves at once, held polls included. Default 20,000; 1 to 10,000,000.</summary>
    /// <remarks>Over HTTP the next one gets 503 with <c>Retry-After</c>.</remarks>
    public int MaxReaders { get; set; } = 20_000;

    /// <summary>The most readers this process serves of one run at once. Default 10,000; 1 to 10,000,000.</summary>
    /// <remarks>Over HTTP the next one gets 429 with <c>Retry-After</c>.</remarks>
    public int MaxReadersPerRun { get; set; } = 10_000;

    /// <summary>The most messages that this process takes for one run in a second, and at once, by POST and over WebSockets together. Default 1,000; 1 to 1,000,000.</summary>
    /// <remarks>By POST the next one gets 429 with <c>Retry-After</c>. A WebSocket is not read until its next message may come.</remarks>
    public int MaxMessagesPerSecond { get; set; } = 1000;

    /// <summary>How long a reader may leave unread what was sent to it, before its connection is cut. Default 5 min; 1 s to 1 day.</summary>
    /// <remarks>It costs nobody anything meanwhile but its socket's buffers, and may come back and resume.</remarks>
    public TimeSpan ReaderStallLimit { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How requests with an <c>Idempotency-Key</c> start runs once.</summary>
    public StartOptions Starts { get; } = new();

    /// <summary>How runs are served over WebSockets.</summary>
    public WebSocketServerOptions WebSockets { get; } = new();

    /// <summary>Checks every value against its range.</summary>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range; the message names the member and the range.</exception>
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
    }

    internal static void Require<T>(T value, T least, T most, string member) where T : IComparable<T>
    {
        if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
        {
            throw new ArgumentOutOfRangeException(member, value, FormattableString.Invariant($"{member} must be from {least} to {most}."));
        }
    }
}
