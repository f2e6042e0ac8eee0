using Perennial.Sse;

namespace Perennial;

/// <summary>Options for <see cref="ResumableStreamHandler"/>. Every default works without changes. Immutable.</summary>
public sealed record ResumableStreamOptions
{
    /// <summary>Gets how a cut stream of a Perennial server is resumed. Default: 5 attempts, from 1 s to 30 s apart.</summary>
    public ReconnectOptions Reconnect { get; init; } = new();

    /// <summary>
    /// Gets how long a stream of a Perennial server may be silent, without even a heartbeat, before it counts as cut. Default
    /// <see langword="null"/>: three heartbeat intervals of the server. 1 ms to 24 h, or <see cref="Timeout.InfiniteTimeSpan"/>.
    /// </summary>
    public TimeSpan? IdleTimeout { get; init; }

    /// <summary>
    /// Gets whether a POST with JSON may be sent again although the server may have acted on it. Default <see langword="null"/>: only by
    /// this handler, with the same <c>Idempotency-Key</c>, and only to a URL that has announced that the same key starts a stream once
    /// (<c>Perennial-Starts: once</c>). Otherwise such a failure is a <see cref="TransportException"/>, after which SDKs do not repeat the
    /// request by themselves, so no prompt is paid twice. <see langword="false"/> never sends it again. <see langword="true"/> leaves the
    /// failure as it is, so that the SDK repeats the request as it does without this handler.
    /// </summary>
    public bool? AllowReplay { get; init; }

    /// <summary>
    /// Gets what happens to a stream of a Perennial server if the caller leaves it before its end. Default <see
    /// cref="ChatCancellation.Leave"/>. A stream of another server ends with its connection.
    /// </summary>
    public ChatCancellation OnCancel { get; init; }

    /// <summary>
    /// Gets clock, random source and logging. Its HTTP handler is not used. Default <see cref="TransportServices.Default"/>.
    /// </summary>
    public TransportServices Services { get; init; } = TransportServices.Default;

    /// <summary>Validates every value. The constructor of the handler calls it.</summary>
    /// <exception cref="ArgumentException">A value is missing, malformed or out of range; the message names it and what is
    /// accepted.</exception>
    public void Validate()
    {
        new SseTransportOptions { Endpoint = new Uri("http://localhost"), Reconnect = Reconnect, IdleTimeout = IdleTimeout }.Validate();
        Require(
            Enum.IsDefined(OnCancel),
            nameof(OnCancel),
            $"{nameof(OnCancel)} must be {ChatCancellation.Leave} or {ChatCancellation.Stop}, not {OnCancel}.");
        Require(Services is not null, nameof(Services), $"{nameof(Services)} must not be null.");
    }

    private static void Require(bool isMet, string member, string message)
    {
        if (!isMet)
        {
            throw new ArgumentException(message, member);
        }
    }
}
