using Perennial.Engine;

namespace Perennial;

/// <summary>
/// One open connection of one protocol: reads, sends, stops and closes. It contains no retry logic; the <see cref="Transport"/> that uses
/// it contains no protocol logic.
/// </summary>
/// <remarks>
/// The transport calls <see cref="ReadAsync"/> once at a time. <see cref="SendAsync"/> and <see cref="StopAsync"/> may run at the same time
/// as a read. Network errors are thrown as <see cref="TransportException"/>, whose <see cref="TransportException.IsTransient"/> specifies
/// whether another connection may succeed.
/// </remarks>
public abstract class TransportConnection : IAsyncDisposable
{
    private IdleWatch? _idle;
    private bool _mayChangeLimit;
    private ISendQueue? _sends;
    private volatile bool _hasMadeProgress;

    /// <summary>
    /// Gets whether a new connection can continue the stream without repeating a side effect. The transport reads it after a loss. If it is
    /// <see langword="false"/>, the stream ends as interrupted.
    /// </summary>
    public virtual bool CanBeResumed => true;

    /// <summary>
    /// Gets how long a live peer may be silent on this connection, if the protocol or the peer specifies it; otherwise
    /// <see langword="null"/>. <see cref="TransportOptions.IdleTimeout"/> takes precedence.
    /// </summary>
    public virtual TimeSpan? LongestSilence => null;

    /// <summary>
    /// Gets whether the server always marks the end of a stream. An end without a marker is then a loss, whatever the options specify.
    /// </summary>
    public virtual bool AlwaysMarksEnd => false;

    /// <summary>
    /// Gets whether an end of the connection is the end of the stream only if a message marked it. The transport reads it after the
    /// connection ended. The default is <see cref="AlwaysMarksEnd"/>. Override it in a protocol whose messages show whether there is such a
    /// mark.
    /// </summary>
    public virtual bool NeedsEndMarker => AlwaysMarksEnd;

    /// <summary>
    /// Gets the URL at which another client can continue this stream after an id (<see cref="Transport.ResumePoint"/>), or
    /// <see langword="null"/> if there is none.
    /// </summary>
    /// <param name="endpoint">The URL in the transport's options.</param>
    public virtual Uri? GetResumeEndpoint(Uri endpoint) => endpoint;

    /// <summary>
    /// Waits for bytes, and adds the messages that they complete to <paramref name="batch"/>: none, one or many. It returns whenever bytes
    /// arrived, including heartbeats, because the transport detects a dead peer by that.
    /// </summary>
    /// <param name="batch">The batch to which messages are added. Empty at the call.</param>
    /// <param name="cancellationToken">Cancels the wait and closes the connection.</param>
    /// <returns>Whether the stream continues.</returns>
    /// <exception cref="TransportException">The connection was interrupted, or the peer violated the protocol.</exception>
    public abstract ValueTask<ReadOutcome> ReadAsync(MessageBatch batch, CancellationToken cancellationToken);

    /// <summary>
    /// Determines the effect of a message on the stream. Called once per message in order, except for replies to requests. Must be fast.
    /// </summary>
    /// <param name="message">The message.</param>
    public virtual StreamSignal Classify(in StreamMessage message) => StreamSignal.None;

    /// <summary>
    /// Gets whether a message may be sent again if its outcome is unknown, because the peer recognizes <see cref="OutgoingMessage.Key"/>.
    /// </summary>
    public virtual bool SendsAreRepeatable => false;

    /// <summary>
    /// Sends one message to the peer. The transport calls it once at a time, and only if <see cref="NumbersSends"/> is
    /// <see langword="false"/>.
    /// </summary>
    /// <param name="message">The message.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <returns>The outcome of the send.</returns>
    /// <exception cref="NotSupportedException">The protocol cannot send.</exception>
    /// <exception cref="TransportException">
    /// The message could not be sent. <see cref="TransportException.Delivery"/> specifies whether the peer may have received it.
    /// </exception>
    public virtual ValueTask<SendOutcome> SendAsync(OutgoingMessage message, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol cannot send.");

    /// <summary>
    /// Completes when a message passed to <see cref="SendAsync"/> can leave. The message's timeout starts then; before that the send can be
    /// cancelled.
    /// </summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    public virtual ValueTask WaitUntilReadyToSendAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

    /// <summary>
    /// Gets the size of the largest message that the protocol can carry, in bytes. A larger one is not sent
    /// (<see cref="TransportErrorCode.MessageTooLarge"/>). Default: no limit.
    /// </summary>
    public virtual int MaxSendBytes => int.MaxValue;

    /// <summary>
    /// Gets whether messages are numbered. The peer acknowledges the numbers and recognizes repeated messages by them, so each message
    /// arrives exactly once and in order, over any number of connections. The transport assigns the numbers, keeps the messages without an
    /// answer, and writes them again on the next connection that numbers messages, with <see cref="WriteSenderAsync"/> and
    /// <see cref="WriteNumberedAsync"/>.
    /// </summary>
    public virtual bool NumbersSends => false;

    /// <summary>
    /// Writes the sender's id. Called before the first message on this connection. A peer that recognizes the sender answers with the
    /// highest number it has received (<see cref="ReportAcknowledged"/>). The transport writes no message before that answer, unless all
    /// messages of the sender are new.
    /// </summary>
    /// <param name="sender">
    /// The sender's id, unique among all senders of its peer: 128 random bits in base64url (RFC 4648, section 5).
    /// </param>
    /// <param name="firstNumber">The lowest number without an answer.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TransportException">The connection was interrupted. The transport writes nothing more on it.</exception>
    public virtual ValueTask WriteSenderAsync(string sender, long firstNumber, CancellationToken cancellationToken) =>
        ValueTask.CompletedTask;

    /// <summary>Writes one numbered message. The transport calls it once at a time, in the order of the numbers.</summary>
    /// <param name="message">The message.</param>
    /// <param name="number">The number, from 1. A used number must arrive.</param>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="TransportException">The connection was interrupted. The transport writes nothing more on it.</exception>
    public virtual ValueTask WriteNumberedAsync(OutgoingMessage message, long number, CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol does not number messages.");

    /// <summary>Requests that the server stop producing.</summary>
    /// <param name="cancellationToken">Cancels the wait.</param>
    /// <exception cref="NotSupportedException">The protocol has no such request.</exception>
    /// <exception cref="TransportException">The server refused or could not be reached.</exception>
    public virtual ValueTask StopAsync(CancellationToken cancellationToken) =>
        throw new NotSupportedException("This transport's protocol has no request to stop.");

    /// <summary>Gets the longest time that the transport waits for <see cref="DisposeAsync"/>: 2 s.</summary>
    protected internal static TimeSpan CloseLimit => TimeSpan.FromSeconds(2);

    /// <summary>
    /// The number of the connection among those of the transport, from 1. The transport sets it before it sends anything.
    /// </summary>
    internal int Number { get; set; }

    /// <summary>
    /// Whether progress was reported that is not visible in messages. Earlier failed attempts then do not count any more.
    /// </summary>
    internal virtual bool HasMadeProgress => _hasMadeProgress;

    /// <summary>Whether a read is in progress.</summary>
    internal bool IsReading => _idle?.IsReading ?? false;

    /// <summary>Gets whether the peer was silent for too long. The connection is then closed without notice to the peer.</summary>
    protected internal bool IsPeerUnresponsive => _idle?.HasFired ?? false;

    /// <summary>Whether the peer proved to be alive without ending a read.</summary>
    internal bool HasShownLife => _idle?.HasHeard ?? false;

    /// <summary>The time since the last byte, and the limit. <see langword="null"/> while no read is in progress.</summary>
    internal (TimeSpan Silence, TimeSpan Limit)? PeerSilence =>
        _idle is { Silence: { } silence, Limit: var limit } ? (silence, limit) : null;

    /// <summary>Starts the use of this connection by the transport.</summary>
    /// <param name="idle">Detects that the connection is silent for too long.</param>
    /// <param name="mayChangeLimit">Whether the connection may set the limit of silence.</param>
    /// <param name="sends">The messages that wait to be sent, which get the answers to numbered ones.</param>
    internal virtual void Begin(IdleWatch idle, bool mayChangeLimit, ISendQueue sends) =>
        (_idle, _mayChangeLimit, _sends) = (idle, mayChangeLimit, sends);

    /// <summary>
    /// Reports that the peer proved to be alive without ending a read, for instance by an answer to a ping. Any thread may call it; it
    /// costs almost nothing.
    /// </summary>
    protected void ReportActivity() => _idle?.Heard();

    /// <summary>Reports how long a live peer may be silent, if the peer specifies it only after the connection was established.</summary>
    /// <param name="limit">The new limit. Ignored if <see cref="TransportOptions.IdleTimeout"/> is set.</param>
    protected void ReportLongestSilence(TimeSpan limit)
    {
        if (_mayChangeLimit)
        {
            _idle?.ChangeLimit(limit);
        }
    }

    /// <summary>Reports that the peer answered a ping, which also proves that it is alive. Any thread may call it.</summary>
    /// <param name="roundTrip">The time from the ping to the answer.</param>
    protected void ReportPingAnswered(TimeSpan roundTrip) => _idle?.PingAnswered(roundTrip);

    /// <summary>
    /// Reports progress that is not visible in messages: earlier failed attempts do not count any more. Any thread may call it.
    /// </summary>
    protected void ReportProgress() => _hasMadeProgress = true;

    /// <summary>Reports that the peer received all numbered messages up to a number, except those it refused.</summary>
    /// <param name="received">The number. 0 if the peer has received none of this sender's messages.</param>
    /// <exception cref="TransportException">No message with this number was sent: the peer violated the protocol.</exception>
    protected void ReportAcknowledged(long received)
    {
        if (_sends?.Acknowledge(Number, received) == true)
        {
            ReportProgress();
        }
    }

    /// <summary>Reports that the peer refused a numbered message.</summary>
    /// <param name="number">The message's number.</param>
    /// <param name="error">The reason. Its <see cref="TransportException.Delivery"/> is <see cref="DeliveryStatus.NotSent"/>.</param>
    /// <exception cref="TransportException">No message with this number was sent: the peer violated the protocol.</exception>
    protected void ReportRefused(long number, TransportException error) => _sends?.Refuse(Number, number, error);

    /// <summary>Closes the connection at once and releases its resources. Must be idempotent.</summary>
    public abstract ValueTask DisposeAsync();
}
