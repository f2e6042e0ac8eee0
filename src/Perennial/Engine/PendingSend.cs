namespace Perennial.Engine;

/// <summary>A message from the call that sends it to its fate, which is the caller's task.</summary>
internal sealed class PendingSend : TaskCompletionSource<SendOutcome>, IDisposable
{
    private readonly Action<PendingSend> _takeBack;
    private readonly CancellationTokenRegistration _cancellation;

    /// <param name="message">What to send.</param>
    /// <param name="session">The session it is sent in.</param>
    /// <param name="takeBack">Called when the send was cancelled before it ended.</param>
    /// <param name="cancellationToken">
    /// Ends the send at once, wherever in the queue it is. The registration exists before anybody else has the send, so that
    /// <see cref="Dispose"/> always finds it.
    /// </param>
    public PendingSend(OutgoingMessage message, TransportSession session, Action<PendingSend> takeBack, CancellationToken cancellationToken)
        : base(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        Message = message;
        Session = session;
        CancellationToken = cancellationToken;
        _takeBack = takeBack;
        _cancellation = cancellationToken.Register(static send => ((PendingSend)send!).Cancel(), this);
    }

    public OutgoingMessage Message { get; }

    /// <summary>The session it was sent in: what waits when that is over is not sent.</summary>
    public TransportSession Session { get; }

    public CancellationToken CancellationToken { get; }

    public bool WasTried { get; set; }

    /// <summary>Whether some try may have reached the peer: what a later try finds out does not change that.</summary>
    public bool MayHaveArrived { get; set; }

    /// <summary>The message in the hands of a protocol that numbers what it sends, from when it is there. Under the queue's lock.</summary>
    public NumberedSend? Numbered { get; set; }

    /// <summary>The transport was closed, or failed, before the fate was known.</summary>
    public void EndWithSession(bool mayHaveArrived) => TrySetException(new TransportException(
        TransportErrorCode.NotConnected, "The transport was closed before the message was confirmed.")
    {
        Delivery = mayHaveArrived ? DeliveryStatus.Unknown : DeliveryStatus.NotSent,
    });

    public void Dispose() => _cancellation.Unregister();

    private void Cancel()
    {
        if (TrySetCanceled(CancellationToken))
        {
            _takeBack(this);
        }
    }
}
