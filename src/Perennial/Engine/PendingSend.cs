namespace Perennial.Engine;

/// <summary>A message from the call that sends it to its fate, which is the caller's task.</summary>
internal sealed class PendingSend(OutgoingMessage message, TransportSession session, CancellationToken cancellationToken)
    : TaskCompletionSource<SendOutcome>(TaskCreationOptions.RunContinuationsAsynchronously), IDisposable
{
    private CancellationTokenRegistration _cancellation;

    public OutgoingMessage Message { get; } = message;

    /// <summary>The session it was sent in: what waits when that is over is not sent.</summary>
    public TransportSession Session { get; } = session;

    public CancellationToken CancellationToken { get; } = cancellationToken;

    public bool WasTried { get; set; }

    /// <summary>Whether some try may have reached the peer: what a later try finds out does not change that.</summary>
    public bool MayHaveArrived { get; set; }

    /// <summary>The message in the hands of a protocol that numbers what it sends, from when it is there. Under the queue's lock.</summary>
    public NumberedSend? Numbered { get; set; }

    /// <summary>Ends the send at once when it is cancelled, wherever in the queue it is: its turn may never come.</summary>
    public void WhenCancelled(Action<PendingSend> takeBack) => _cancellation = CancellationToken.Register(() =>
    {
        if (TrySetCanceled(CancellationToken))
        {
            takeBack(this);
        }
    });

    /// <summary>The transport was closed, or failed, before the fate was known.</summary>
    public void EndWithSession(bool mayHaveArrived) => TrySetException(new TransportException(
        TransportErrorCode.NotConnected, "The transport was closed before the message was confirmed.")
    {
        Delivery = mayHaveArrived ? DeliveryStatus.Unknown : DeliveryStatus.NotSent,
    });

    public void Dispose() => _cancellation.Dispose();
}
