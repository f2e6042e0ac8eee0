using System.Collections.ObjectModel;
using Perennial.AspNetCore.Runs;

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

    /// <summary>
    /// Gets or sets the dialect of the events: the streaming format of an AI provider, such as <see cref="Dialects.OpenAIChat"/>, or one in
    /// <see cref="PerennialServerOptions.Dialects"/>. Null, the default, is none: every reader gets the events of Perennial's protocol.
    /// </summary>
    /// <remarks>
    /// <para>
    /// The producer writes the dialect's events: the name of each as its event type, and its data. Readers over SSE and JSON lines that
    /// send the header <c>Perennial-Protocol</c>, as Perennial's own clients do, get them as in every other run. Every other reader gets
    /// the dialect alone, in the dialect's own form whatever it accepts: no event and no header field of Perennial, but the ids of the
    /// events where the form allows them. So the official clients of the dialect can read the run. Long polling needs the header;
    /// WebSockets are not affected.
    /// </para>
    /// <para>
    /// If the producer returns without having written the dialect's end, the server writes it. If the end cannot be made up
    /// (<see cref="Dialects.OpenAIResponses"/>, <see cref="Dialects.Ollama"/>, <see cref="Dialects.Gemini"/>, <see cref="Dialects.Mcp"/>,
    /// <see cref="Dialects.A2A"/>, and <see cref="Dialects.AGUI"/> without its first event), the run ends as failed with the code
    /// <c>end_missing</c>. It also ends as failed if the producer has written an error of the dialect.
    /// </para>
    /// <para>
    /// If the run fails, is stopped, or loses its producer, such a reader gets an error event of the dialect, unless the producer has
    /// written one, and the server then aborts the connection, because many clients take the end of a response for success. For A2A before
    /// the first event, and for MCP without <see cref="Dialects.McpAnswerTo"/>, it only aborts, because an error must name the request.
    /// </para>
    /// <para>
    /// Such a reader resumes by <c>Last-Event-ID</c>. It gets 410 if the run cannot be resumed after that event, because it would take a
    /// repetition for the continuation.
    /// </para>
    /// </remarks>
    public Dialect? Dialect { get; init; }

    /// <summary>
    /// Gets or sets the owner, such as the id of a user. <see cref="StreamRuns.FindByOwnerAsync"/> lists the runs of an owner, and access
    /// rules get it from <see cref="RunAccess.FindRunAsync"/>. Null, the default, is none. 1 to 256 characters.
    /// </summary>
    /// <remarks>Readers never get the owner, the key or the metadata.</remarks>
    public string? Owner { get; init; }

    /// <summary>
    /// Gets or sets the name under which <see cref="StreamRuns.FindByKeyAsync"/> finds the run as long as it goes on, such as the id of a
    /// chat. Null, the default, is none. 1 to 256 characters.
    /// </summary>
    /// <remarks>
    /// It is no <c>Idempotency-Key</c>: several runs may have the same key at once, and the newest is found. All owners share the keys, so
    /// put the owner into a key that is not unique without it.
    /// </remarks>
    public string? Key { get; init; }

    /// <summary>
    /// Gets or sets further words about the run, which <see cref="StreamRun.Metadata"/> returns on every node. Empty by default. At most 16
    /// entries, with names of 1 to 64 and values of at most 512 characters.
    /// </summary>
    /// <remarks>Copied at the start of the run.</remarks>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// Gets or sets the name of the delegate that goes on with the run if its node is gone or stops, from
    /// <see cref="PerennialResumptions.AddResumption"/>. Null, the default, is none: the run then ends as
    /// <see cref="RunEnd.ProducerLost"/>.
    /// </summary>
    /// <remarks>
    /// Needs a store that outlives the process. Runs in memory are lost with it. The delegate has a name because the store, and not this
    /// process, must remember it.
    /// </remarks>
    public string? ResumeWith { get; init; }

    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    /// <exception cref="ArgumentException">The server does not know the dialect, or a text is refused.</exception>
    internal void Validate(PerennialServerOptions server)
    {
        DescriptionRules.Of(this);
        if (Dialect is not null && !Dialect.Equals(server.FindDialect(Dialect.Name)))
        {
            throw PerennialServerOptions.Invalid(
                nameof(Dialect),
                $"must be null, one of Dialects.Known, or in {nameof(PerennialServerOptions)}.{nameof(server.Dialects)}, but is '{Dialect}'");
        }

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
