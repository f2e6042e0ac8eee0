namespace Perennial;

/// <summary>
/// One open connection of one protocol: read, send, stop, close. It knows nothing of retries; the <see cref="Transport"/> above it
/// knows nothing of the protocol.
/// </summary>
/// <remarks>
/// The transport calls <see cref="ReadAsync"/> from one place, never twice at a time. <see cref="SendAsync"/> and
/// <see cref="StopAsync"/> may run beside a read. Network errors are thrown as <see cref="TransportException"/>, which says
/// whether another connection may help.
/// </remarks>
public abstract class TransportConnection : IAsyncDisposable
{
    /// <summary>
    /// Whether a new connection can go on where this one broke off without repeating a side effect. Asked after a loss; where it
    /// is <see langword="false"/> the stream ends as interrupted.
    /// </summary>
    public virtual bool CanBeResumed => true;

    /// <summary>
    /// How long a living peer may be silent on this connection, where the protocol or the peer itself says so; else
    /// <see langword="null"/>. <see cref="TransportOptions.IdleTimeout"/> takes precedence.
    /// </summary>
    public virtual TimeSpan? LongestSilence => null;

    /// <summary>Whether the server always marks the end of a stream, so that an end without a mark is a loss whatever the options say.</summary>
    public virtual bool AlwaysMarksEnd => false;

    /// <summary>
    /// Waits for bytes, and adds the messages they complete to <paramref name="batch"/>: none, one or many. It returns whenever
    /// bytes arrived, heartbeats included, because that is how the transport knows that the peer lives.
    /// </summary>
    /// <param name="batch">Where messages go; empty at the call.</param>
    /// <param name="cancellationToken">Ends the wait and the connection with it.</param>
    /// <returns>Whether the stream goes on.</returns>
    /// <exception cref="TransportException">The connection broke, or the peer violated the protocol.</exception>
    public abstract ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken);

    /// <summary>What a message means for the stream beyond its payload. Called once a message, in order; must be fast.</summary>
    /// <param name="message">The message.</param>
    public virtual StreamSignal Classify(in StreamMessage message) => StreamSignal.None;

    /// <summary>
    /// Whether a message may be sent again when its fate is unknown, because the peer recognises <see cref="OutgoingMessage.Key"/>.
    /// </summary>
    public virtual bool SendsAreRepeatable => false;

    /// <summary>Sends one message to the peer.</summary>
    /// <param name="message">What to send.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>What is known of the message's fate.</returns>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    /// <exception cref="TransportException">It could not be sent; <see cref="TransportException.Delivery"/> says what is known.</exception>
    public virtual ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol cannot send.");

    /// <summary>Asks the server to stop producing.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="NotSupportedException">The protocol has no such request.</exception>
    /// <exception cref="TransportException">The server refused, or could not be reached.</exception>
    public virtual ValueTask StopAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol has no way to ask the server to stop.");

    /// <summary>Set by the transport while it watches the connection.</summary>
    internal Action? Activity { get; set; }

    /// <summary>
    /// Says that the peer gave a sign of life which ends no read, such as an answer to a ping. May be called from anywhere; costs next
    /// to nothing.
    /// </summary>
    protected void ReportActivity() => Activity?.Invoke();

    /// <summary>Set by the transport while it watches the connection.</summary>
    internal Action<TimeSpan>? PingAnswered { get; set; }

    /// <summary>Says that the peer answered a ping, which is a sign of life too. May be called from anywhere.</summary>
    /// <param name="roundTrip">How long it took.</param>
    protected void ReportPingAnswered(TimeSpan roundTrip)
    {
        ReportActivity();
        PingAnswered?.Invoke(roundTrip);
    }

    /// <summary>Ends the connection at once and frees what it holds. Must be idempotent.</summary>
    public abstract ValueTask DisposeAsync();
}

/// <summary>Whether a stream goes on after a read.</summary>
public enum ReadOutcome
{
    /// <summary>The connection is open; more may come.</summary>
    More,

    /// <summary>The peer ended the connection in good order. The transport's <see cref="EndOfStreamPolicy"/> says what that means.</summary>
    EndOfStream,

    /// <summary>The peer said that the stream is over for good, whatever the policy.</summary>
    Completed,

    /// <summary>The peer said that the stream is over for good, because its producer was stopped.</summary>
    Stopped,
}
