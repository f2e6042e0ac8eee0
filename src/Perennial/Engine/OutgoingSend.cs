namespace Perennial.Engine;

/// <summary>
/// One message from the call that sends it until its outcome is known. The outcome is set once, here; this also releases the caller's
/// cancellation token. Thread safe.
/// </summary>
internal sealed class OutgoingSend
{
    private readonly TaskCompletionSource<SendOutcome> _outcome = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _cancellation;
    private Action<OutgoingSend>? _onEnd;
    private int _lastConnection;
    private int _connectionBefore;

    /// <param name="message">The message.</param>
    /// <param name="session">The session in which the message is sent. The end of the session ends the send.</param>
    /// <param name="cancellationToken">Cancels the send at once, at any stage.</param>
    public OutgoingSend(OutgoingMessage message, TransportSession session, CancellationToken cancellationToken)
    {
        Message = message;
        Session = session;
        CancellationToken = cancellationToken;
        // Registered before other code has the send, so that the end of the send always finds the registration.
        _cancellation = cancellationToken.UnsafeRegister(static send => ((OutgoingSend)send!).Cancel(), this);
    }

    public OutgoingMessage Message { get; }

    public TransportSession Session { get; }

    public CancellationToken CancellationToken { get; }

    /// <summary>The outcome. Fails with a <see cref="TransportException"/> that specifies whether the message may have arrived.</summary>
    public Task<SendOutcome> Outcome => _outcome.Task;

    /// <summary>
    /// The number of the connection on which the message was last sent, or may have been. 0 if it certainly has not left. No other member
    /// stores this.
    /// </summary>
    public int LastConnection => Volatile.Read(ref _lastConnection);

    /// <summary>
    /// Decides whether the message is sent again after a failure. Created by the first failure. Used by the pipeline's loop only.
    /// </summary>
    public ReconnectPolicy? Retry { get; set; }

    /// <summary>The number among all numbered messages of the sender, from 1. 0 if none was assigned. Under the pipeline's lock.</summary>
    public long Number { get; set; }

    /// <summary>When the message was written with its number on the present connection. Under the pipeline's lock.</summary>
    public long LeftAt { get; set; }

    /// <summary>The position in the queue. <see langword="null"/> if the message is not in the queue. Under the pipeline's lock.</summary>
    public LinkedListNode<OutgoingSend>? Place { get; set; }

    /// <summary>Sets the callback that the end of the send calls. Called once, before other code has the send.</summary>
    /// <returns>False if the send has already ended.</returns>
    public bool TryFollow(Action<OutgoingSend> onEnd)
    {
        _onEnd = onEnd;
        return !Outcome.IsCompleted;
    }

    /// <summary>
    /// Records that the message is about to leave on a connection. Returns false if the send has ended; the message must then not leave. A
    /// caller that cancels the send while <see cref="LastConnection"/> is 0 can rely on that.
    /// </summary>
    public bool TryLeave(TransportConnection connection)
    {
        _connectionBefore = Interlocked.Exchange(ref _lastConnection, connection.Number);
        if (Outcome.IsCompleted)
        {
            MarkNotSent();
            return false;
        }

        return true;
    }

    /// <summary>Records that the message certainly did not reach the peer in the last attempt.</summary>
    public void MarkNotSent() => Volatile.Write(ref _lastConnection, _connectionBefore);

    public void Succeed(SendOutcome outcome) => _ = End(_outcome.TrySetResult(outcome));

    public void Fail(Exception error)
    {
        if (End(_outcome.TrySetException(error)))
        {
            _ = Outcome.Exception;     // observed, because the caller may have stopped waiting
        }
    }

    /// <summary>Fails the send with an error that specifies whether the message may have arrived.</summary>
    public void Fail(TransportErrorCode code, string message) =>
        Fail(new TransportException(code, message) { Delivery = LastConnection == 0 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown });

    /// <summary>Cancels the send for its caller.</summary>
    public void Cancel()
    {
        if (_outcome.TrySetCanceled(CancellationToken))
        {
            _onEnd?.Invoke(this);
        }
    }

    /// <summary>Fails the send because the transport was closed or failed before the outcome was known.</summary>
    public void FailWithSession() => Fail(TransportErrorCode.NotConnected, "The transport was closed before the message was confirmed.");

    private bool End(bool isFirst)
    {
        if (isFirst)
        {
            _cancellation.Unregister();     // does not wait for a running cancellation callback, which may wait for a lock of the caller
            _onEnd?.Invoke(this);
        }

        return isFirst;
    }
}
