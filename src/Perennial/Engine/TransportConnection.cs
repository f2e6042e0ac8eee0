using Perennial.Engine;

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
    private IdleWatch? _idle;
    private bool _mayChangeLimit;
    private Func<INumberedAnswers?>? _answers;
    private volatile bool _hasMadeProgress;

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
    /// Gets the URL at which another client can go on with this stream after an id (<see cref="Transport.ResumePoint"/>), or
    /// <see langword="null"/> where none can.
    /// </summary>
    /// <param name="endpoint">The URL that the transport was given.</param>
    public virtual Uri? GetResumeEndpoint(Uri endpoint) => endpoint;

    /// <summary>
    /// Waits for bytes, and adds the messages they complete to <paramref name="batch"/>: none, one or many. It returns whenever
    /// bytes arrived, heartbeats included, because that is how the transport knows that the peer lives.
    /// </summary>
    /// <param name="batch">Where messages go; empty at the call.</param>
    /// <param name="cancellationToken">Ends the wait and the connection with it.</param>
    /// <returns>Whether the stream goes on.</returns>
    /// <exception cref="TransportException">The connection broke, or the peer violated the protocol.</exception>
    public abstract ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken);

    /// <summary>What a message means for the stream beyond its payload. Called once a message, in order, but for replies to requests; must be fast.</summary>
    /// <param name="message">The message.</param>
    public virtual StreamSignal Classify(in StreamMessage message) => StreamSignal.None;

    /// <summary>
    /// Whether a message may be sent again when its fate is unknown, because the peer recognises <see cref="OutgoingMessage.Key"/>.
    /// </summary>
    public virtual bool SendsAreRepeatable => false;

    /// <summary>Sends one message to the peer. The transport calls it for one message at a time, and not where <see cref="NumbersSends"/>.</summary>
    /// <param name="message">What to send.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <returns>What is known of the message's fate.</returns>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    /// <exception cref="TransportException">It could not be sent; <see cref="TransportException.Delivery"/> says what is known.</exception>
    public virtual ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol cannot send.");

    /// <summary>
    /// Completes when a message handed to <see cref="SendAsync"/> can leave. The message's time begins then, and until then it can be taken
    /// back.
    /// </summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    public virtual ValueTask WaitUntilItSendsAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>The largest message that the protocol can carry, in bytes. A larger one is not sent (<see cref="TransportErrorCode.MessageTooLarge"/>). Default: any.</summary>
    public virtual int MaxSendBytes => int.MaxValue;

    /// <summary>
    /// Whether messages have numbers, which the peer confirms and by which it recognises one that it has: then each arrives once and in
    /// order, over any number of connections. The transport gives the numbers, keeps what has no answer, and writes it again on the next
    /// connection whose protocol numbers messages, through <see cref="WriteSenderAsync"/> and <see cref="WriteNumberedAsync"/>.
    /// </summary>
    public virtual bool NumbersSends => false;

    /// <summary>
    /// Tells the peer whose messages follow. Called before the first of them on this connection. A peer that knows the sender answers with the
    /// highest number that it has (<see cref="ReportAcknowledged"/>); until then no message follows, unless all are new.
    /// </summary>
    /// <param name="sender">Names the sender among all of its peer: 128 random bits in base64url (RFC 4648, 5).</param>
    /// <param name="firstNumber">The lowest number that had no answer.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TransportException">The connection broke; nothing more is written on it.</exception>
    public virtual ValueTask WriteSenderAsync(string sender, long firstNumber, CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>Writes one numbered message. The transport calls it for one message at a time, in the order of their numbers.</summary>
    /// <param name="message">What to send.</param>
    /// <param name="number">Its number, from 1. One that was used must arrive.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="TransportException">The connection broke; nothing more is written on it.</exception>
    public virtual ValueTask WriteNumberedAsync(OutgoingMessage message, long number, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol does not number messages.");

    /// <summary>Asks the server to stop producing.</summary>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <exception cref="NotSupportedException">The protocol has no such request.</exception>
    /// <exception cref="TransportException">The server refused, or could not be reached.</exception>
    public virtual ValueTask StopAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol has no way to ask the server to stop.");

    /// <summary>Which of the transport's connections it is, from 1. Set by the transport before anything is sent.</summary>
    internal int Number { get; set; }

    /// <summary>Whether something was achieved that is not seen in messages: then the attempts before it do not count any more.</summary>
    internal virtual bool HasMadeProgress => _hasMadeProgress;

    /// <summary>Whether somebody is waiting for bytes.</summary>
    internal bool IsReading => _idle?.IsReading ?? false;

    /// <summary>Whether the peer was silent for too long: it is not worth a goodbye.</summary>
    protected internal bool IsTakenForDead => _idle?.HasFired ?? false;

    /// <summary>Whether the peer gave a sign of life that ended no read.</summary>
    internal bool ShowedLife => _idle?.HasHeard ?? false;

    /// <summary>How long the peer has been silent while somebody waits for bytes, and the limit; <see langword="null"/> while nobody does.</summary>
    internal (TimeSpan Silence, TimeSpan Limit)? PeerSilence => _idle is { Silence: { } silence, Limit: var limit } ? (silence, limit) : null;

    /// <summary>The transport uses this connection from now on.</summary>
    /// <param name="idle">Watches over it.</param>
    /// <param name="mayChangeLimit">Whether the connection may say how long a silence is too long.</param>
    /// <param name="answers">Takes what the peer says of numbered messages, once there are any.</param>
    internal virtual void Begin(IdleWatch idle, bool mayChangeLimit, Func<INumberedAnswers?> answers) =>
        (_idle, _mayChangeLimit, _answers) = (idle, mayChangeLimit, answers);

    /// <summary>
    /// Says that the peer gave a sign of life which ends no read, such as an answer to a ping. May be called from anywhere; costs next
    /// to nothing.
    /// </summary>
    protected void ReportActivity() => _idle?.Heard();

    /// <summary>Says how long a living peer may be silent, where it said so itself only after the connection began.</summary>
    /// <param name="limit">The limit, from now on, unless <see cref="TransportOptions.IdleTimeout"/> is set.</param>
    protected void ReportLongestSilence(TimeSpan limit)
    {
        if (_mayChangeLimit)
        {
            _idle?.ChangeLimit(limit);
        }
    }

    /// <summary>Says that the peer answered a ping, which is a sign of life too. May be called from anywhere.</summary>
    /// <param name="roundTrip">How long it took.</param>
    protected void ReportPingAnswered(TimeSpan roundTrip) => _idle?.PingAnswered(roundTrip);

    /// <summary>
    /// Says that something was achieved which is not seen in messages: the failed attempts before it do not count any more. May be called
    /// from anywhere.
    /// </summary>
    protected void ReportProgress() => _hasMadeProgress = true;

    /// <summary>Says that the peer has all numbered messages up to a number, but for those it refused.</summary>
    /// <param name="received">The number; 0 where the peer has none of this sender's.</param>
    /// <exception cref="TransportException">No message has such a number yet: the peer broke the protocol.</exception>
    protected void ReportAcknowledged(long received)
    {
        if (_answers?.Invoke()?.Acknowledge(Number, received) == true)
        {
            ReportProgress();
        }
    }

    /// <summary>Says that the peer will not take a numbered message.</summary>
    /// <param name="number">The message's number.</param>
    /// <param name="error">Why; <see cref="TransportException.Delivery"/> is <see cref="DeliveryStatus.NotSent"/>.</param>
    /// <exception cref="TransportException">No message has such a number yet: the peer broke the protocol.</exception>
    protected void ReportRefused(long number, TransportException error) => _answers?.Invoke()?.Refuse(Number, number, error);

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
