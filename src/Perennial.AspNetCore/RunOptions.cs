namespace Perennial.AspNetCore;

/// <summary>What a run does besides writing events. Every default works as it is.</summary>
public sealed record RunOptions
{
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
}
