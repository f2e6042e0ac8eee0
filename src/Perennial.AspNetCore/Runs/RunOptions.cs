namespace Perennial.AspNetCore;

/// <summary>Options for one run. Every default works without changes.</summary>
public sealed record RunOptions
{
    /// <summary>
    /// Gets or sets the time without a reader after which the server stops the run, counted from its start or from its last reader. Null,
    /// the default, never stops it. 1 ms to 7 days.
    /// </summary>
    /// <remarks>
    /// Allow enough time: a reader that lost its connection needs a while to reconnect, and one that polls is absent between two polls.
    /// Only readers of the process that produces the run count, not readers on other machines.
    /// </remarks>
    public TimeSpan? StopWhenUnread { get; init; }

    /// <summary>
    /// Gets or sets how long this run can still be read after its end. Null, the default, uses
    /// <see cref="PerennialServerOptions.FinishedRunRetention"/>. Zero to 7 days.
    /// </summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>
    /// Gets or sets the most bytes of events that this run may hold, below <see cref="PerennialServerOptions.MaxBytesPerRun"/>. Null, the
    /// default, uses that limit. 1 byte and up.
    /// </summary>
    /// <remarks>Bytes are counted, and a run beyond the limit ends, as for <see cref="PerennialServerOptions.MaxBytesPerRun"/>.</remarks>
    public long? MaxBytes { get; init; }

    /// <summary>
    /// Gets or sets the handler of messages that clients send to the run, by POST or over a WebSocket. Null, the default, refuses messages.
    /// </summary>
    /// <remarks>
    /// <para>
    /// Called exactly once for each message, even if a client sent it several times, one message at a time, in the order in which they were
    /// recorded. It runs beside the producer, never on a client's request: the client gets its answer when the message is recorded. The
    /// token is cancelled when the run ends for any reason; messages that still wait then are dropped.
    /// </para>
    /// <para>
    /// An exception fails the run, as if the producer had thrown it, so an acknowledged message is never lost unnoticed. Catch exceptions
    /// that should not fail the run.
    /// </para>
    /// </remarks>
    public Func<RunMessage, CancellationToken, Task>? OnMessage { get; init; }

    internal void Validate()
    {
        if (StopWhenUnread is { } limit)
        {
            PerennialServerOptions.Require(limit, TimeSpan.FromMilliseconds(1), TimeSpan.FromDays(7), nameof(StopWhenUnread));
        }

        if (Retention is { } retention)
        {
            PerennialServerOptions.Require(retention, TimeSpan.Zero, TimeSpan.FromDays(7), nameof(Retention));
        }

        if (MaxBytes is { } bytes)
        {
            PerennialServerOptions.Require(bytes, 1, long.MaxValue, nameof(MaxBytes));
        }
    }
}
