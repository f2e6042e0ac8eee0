namespace Perennial.Engine;

/// <summary>
/// Outgoing messages, sent one at a time in the order of the calls. They wait here while there is no connection; each ends with
/// what is truly known of it. No task runs while the queue is empty.
/// </summary>
internal sealed class SendQueue(TransportCore core)
{
    private readonly Lock _gate = new();
    private readonly LinkedList<PendingSend> _waiting = new();
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;

    /// <summary>Completes when nothing is being sent.</summary>
    public Task WhenIdle
    {
        get
        {
            lock (_gate)
            {
                return _loop;
            }
        }
    }

    /// <summary>Queues a message and waits for its fate.</summary>
    /// <param name="message">What to send.</param>
    /// <param name="ended">Completes when the transport is closed or failed: what then waits is not sent.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for the peer's answer.</param>
    public Task<SendOutcome> SendAsync(OutgoingMessage message, Task<StreamEnd> ended, CancellationToken cancellationToken)
    {
        var send = new PendingSend(message, ended, cancellationToken);
        lock (_gate)
        {
            if (_waiting.Count >= core.Options.Send.QueueCapacity)
            {
                return Task.FromException<SendOutcome>(new TransportException(
                    TransportErrorCode.SendQueueFull, $"{_waiting.Count} messages wait to be sent; Send.QueueCapacity allows no more.")
                {
                    Delivery = DeliveryStatus.NotSent,
                });
            }

            _waiting.AddLast(send);
            if (!_isRunning)
            {
                _isRunning = true;
                _loop = DetachedTask.Run(RunAsync);
            }
        }

        send.WhenCancelled(TakeBack);

        return send.Task;
    }

    private async Task RunAsync()
    {
        while (TryPeek(out var send))
        {
            if (!send.Task.IsCompleted)
            {
                await SendAsync(send).ConfigureAwait(false);
            }

            send.Dispose();
            TakeBack(send);
        }
    }

    private bool TryPeek([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out PendingSend send)
    {
        lock (_gate)
        {
            send = _waiting.First?.Value;
            _isRunning = send is not null;
            return _isRunning;
        }
    }

    /// <summary>Gives the message's place free, be it done or cancelled.</summary>
    private void TakeBack(PendingSend send)
    {
        lock (_gate)
        {
            _waiting.Remove(send);
        }
    }

    private async Task SendAsync(PendingSend send)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(send.CancellationToken);
        using var watch = new CancellationTokenSource();
        var ending = CancelWhenEndedAsync(send.Ended, leave, watch.Token);
        try
        {
            var outcome = await SendWithRetriesAsync(send, leave.Token).ConfigureAwait(false);
            core.Metrics.MessageSent(send.Message.Data.Length);
            send.TrySetResult(outcome);
        }
        catch (OperationCanceledException) when (send.CancellationToken.IsCancellationRequested)
        {
            send.TrySetCanceled(send.CancellationToken);
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            send.TrySetException(new TransportException(
                TransportErrorCode.NotConnected, "The transport was closed before the message was confirmed.")
            {
                Delivery = send.WasTried ? DeliveryStatus.Unknown : DeliveryStatus.NotSent,
            });
        }
        catch (Exception e)
        {
            send.TrySetException(e);
        }

        await watch.CancelAsync().ConfigureAwait(false);
        await ending.ConfigureAwait(false);
    }

    private static async Task CancelWhenEndedAsync(Task<StreamEnd> ended, CancellationTokenSource leave, CancellationToken watch)
    {
        try
        {
            await ended.WaitAsync(watch).ConfigureAwait(false);
            leave.CancelQuietly();
        }
        catch (OperationCanceledException) when (watch.IsCancellationRequested)
        {
            // The send ended first.
        }
    }

    private async Task<SendOutcome> SendWithRetriesAsync(PendingSend send, CancellationToken leave)
    {
        var retry = new ReconnectPolicy(core.Options.Reconnect, core.Services.Random);
        while (true)
        {
            var connection = await core.Connection.GetAsync(leave).ConfigureAwait(false);
            try
            {
                return await TryOnceAsync(connection, send, leave).ConfigureAwait(false);
            }
            catch (TransportException e)
            {
                if (e is { Code: TransportErrorCode.ConnectionLost, Delivery: DeliveryStatus.NotSent })
                {
                    core.Connection.Drop(connection);
                }

                send.MayHaveArrived |= e.Delivery != DeliveryStatus.NotSent;
                var isRepeatable = connection.SendsAreRepeatable || !send.MayHaveArrived;
                var (delay, error) = isRepeatable ? retry.AfterFailure(e) : (null, e);
                if (delay is not { } wait)
                {
                    throw send.MayHaveArrived ? error.With(DeliveryStatus.Unknown) : error;
                }

                await Task.Delay(wait, core.Time, leave).ConfigureAwait(false);
            }
        }
    }

    private async Task<SendOutcome> TryOnceAsync(TransportConnection connection, PendingSend send, CancellationToken leave)
    {
        using var timer = new CancellationTokenSource(core.Options.Send.Timeout, core.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(leave, timer.Token);
        try
        {
            send.WasTried = true;
            send.Message.MarkTried(connection);
            send.CancellationToken.ThrowIfCancellationRequested();
            return await connection.SendAsync(send.Message, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !leave.IsCancellationRequested)
        {
            throw new TransportException(
                TransportErrorCode.SendTimeout, $"No confirmation within {core.Options.Send.Timeout}.", connection.SendsAreRepeatable, e)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    private sealed class PendingSend : TaskCompletionSource<SendOutcome>, IDisposable
    {
        private CancellationTokenRegistration _cancellation;

        public PendingSend(OutgoingMessage message, Task<StreamEnd> ended, CancellationToken cancellationToken)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            Message = message;
            Ended = ended;
            CancellationToken = cancellationToken;
        }

        public OutgoingMessage Message { get; }

        public Task<StreamEnd> Ended { get; }

        public CancellationToken CancellationToken { get; }

        public bool WasTried { get; set; }

        /// <summary>Whether some try may have reached the peer: what a later try finds out does not change that.</summary>
        public bool MayHaveArrived { get; set; }

        /// <summary>Ends the send at once when it is cancelled, wherever in the queue it is: its turn may never come.</summary>
        public void WhenCancelled(Action<PendingSend> takeBack) => _cancellation = CancellationToken.Register(() =>
        {
            if (TrySetCanceled(CancellationToken))
            {
                takeBack(this);
            }
        });

        public void Dispose() => _cancellation.Dispose();
    }
}
