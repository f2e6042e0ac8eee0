namespace Perennial.AspNetCore;

/// <summary>What a run does besides writing events, and what holds for it alone. Every default works as it is.</summary>
public sealed record RunOptions
{
    /// <summary>After how long without a reader the run is stopped, from its start on. Null, the default: it goes on. 1 ms to 7 days.</summary>
    /// <remarks>
    /// A reader that loses its line needs a while to come back, and one that polls is away between two polls: give them time. Readers
    /// are those of the process that produces the run; where several machines serve it, those on the others do not count.
    /// </remarks>
    public TimeSpan? StopWhenUnread { get; init; }

    /// <summary>How long this run can still be read after its end, in place of <see cref="PerennialServerOptions.FinishedRunRetention"/>. Null, the default: as there. Zero to 7 days.</summary>
    public TimeSpan? Retention { get; init; }

    /// <summary>The most bytes of events this run may hold, below <see cref="PerennialServerOptions.MaxBytesPerRun"/>. Null, the default: as there. 1 byte and up.</summary>
    /// <remarks>Counted and ended as there.</remarks>
    public long? MaxBytes { get; init; }

    /// <summary>Receives what clients send to the run, by POST or over a WebSocket. Null, the default: messages are refused.</summary>
    /// <remarks>
    /// <para>
    /// Called for one message at a time, in the order in which they were recorded, exactly once for each, however often it was sent. It runs
    /// beside the producer, never on a client's request: the client has its answer when the message is recorded. Its token is cancelled when
    /// the run ends, by whatever cause; messages that still wait then are dropped.
    /// </para>
    /// <para>
    /// What it throws fails the run, as if the producer had thrown it: a message that was acknowledged is not lost in silence. A handler that
    /// can live with a failure catches it.
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
