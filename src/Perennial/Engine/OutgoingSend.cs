namespace Perennial.Engine;

/// <summary>
/// A message from the call that sends it to its fate, which is the caller's task. Its fate is decided once, here, and with that it lets go
/// of the caller's cancellation token. Thread safe.
/// </summary>
internal sealed class OutgoingSend
{
    private readonly TaskCompletionSource<SendOutcome> _fate = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration _cancellation;
    private Action<OutgoingSend>? _onEnd;
    private int _leftOver;
    private int _leftOverBefore;

    /// <param name="message">What to send.</param>
    /// <param name="session">The session it is sent in; it ends with it.</param>
    /// <param name="cancellationToken">Ends the send at once, wherever it is.</param>
    public OutgoingSend(OutgoingMessage message, TransportSession session, CancellationToken cancellationToken)
    {
        Message = message;
        Session = session;
        CancellationToken = cancellationToken;
        // Made before anybody else has the send, so that its end always finds it.
        _cancellation = cancellationToken.UnsafeRegister(static send => ((OutgoingSend)send!).Cancel(), this);
    }

    public OutgoingMessage Message { get; }

    public TransportSession Session { get; }

    public CancellationToken CancellationToken { get; }

    /// <summary>What becomes of it. Fails with a <see cref="TransportException"/> that says whether it may have arrived.</summary>
    public Task<SendOutcome> Fate => _fate.Task;

    /// <summary>The number of the connection over which it left last, or may have; 0 while it surely has not left. The one answer to that.</summary>
    public int LeftOver => Volatile.Read(ref _leftOver);

    /// <summary>Decides after its failures whether it is tried again; made by the first. Used by the pipeline's loop alone.</summary>
    public ReconnectPolicy? Retry { get; set; }

    /// <summary>Its place among all numbered messages of its sender, from 1; 0 until it has one. Under the pipeline's lock.</summary>
    public long Number { get; set; }

    /// <summary>When it left under its number over the present connection. Under the pipeline's lock.</summary>
    public long LeftAt { get; set; }

    /// <summary>Its place in the queue; <see langword="null"/> while it has none. Under the pipeline's lock.</summary>
    public LinkedListNode<OutgoingSend>? Place { get; set; }

    /// <summary>Says whom to tell of its end. Called once, before anybody else has the send.</summary>
    /// <returns>Whether it has not ended yet.</returns>
    public bool TryFollow(Action<OutgoingSend> onEnd)
    {
        _onEnd = onEnd;
        return !Fate.IsCompleted;
    }

    /// <summary>
    /// It is about to leave over a connection. False where it has ended, and so must stay: whoever cancels it and finds it here knows that
    /// it does not leave.
    /// </summary>
    public bool TryLeave(TransportConnection connection)
    {
        _leftOverBefore = Interlocked.Exchange(ref _leftOver, connection.Number);
        if (Fate.IsCompleted)
        {
            Stayed();
            return false;
        }

        return true;
    }

    /// <summary>It surely did not reach the peer in the last try.</summary>
    public void Stayed() => Volatile.Write(ref _leftOver, _leftOverBefore);

    public void Succeed(SendOutcome outcome) => _ = End(_fate.TrySetResult(outcome));

    public void Fail(Exception error)
    {
        if (End(_fate.TrySetException(error)))
        {
            _ = Fate.Exception;     // observed: its caller may wait no more
        }
    }

    /// <summary>Fails with an error that says whether it may have arrived.</summary>
    public void Fail(TransportErrorCode code, string message) =>
        Fail(new TransportException(code, message) { Delivery = LeftOver == 0 ? DeliveryStatus.NotSent : DeliveryStatus.Unknown });

    /// <summary>Its caller gave it up.</summary>
    public void Cancel()
    {
        if (_fate.TrySetCanceled(CancellationToken))
        {
            _onEnd?.Invoke(this);
        }
    }

    /// <summary>The transport was closed, or failed, before its fate was known.</summary>
    public void FailWithSession() => Fail(TransportErrorCode.NotConnected, "The transport was closed before the message was confirmed.");

    private bool End(bool isFirst)
    {
        if (isFirst)
        {
            _cancellation.Unregister();     // does not wait for a cancellation under way, which may wait for a lock of the caller's
            _onEnd?.Invoke(this);
        }

        return isFirst;
    }
}
