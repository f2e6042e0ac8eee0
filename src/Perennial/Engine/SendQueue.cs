namespace Perennial.Engine;

/// <summary>
/// Outgoing messages, sent one at a time in the order of the calls. They wait here while there is no connection; each ends with
/// what is truly known of it. No task runs while the queue is empty.
/// </summary>
internal sealed class SendQueue(TransportCore core)
{
    private readonly Lock _gate = new();
    private readonly Queue<PendingSend> _waiting = new();
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

            _waiting.Enqueue(send);
            if (!_isRunning)
            {
                _isRunning = true;
                _loop = Task.Run(RunAsync, CancellationToken.None);
            }
        }

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
            lock (_gate)
            {
                _waiting.Dequeue();
            }
        }
    }

    private bool TryPeek([System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out PendingSend send)
    {
        lock (_gate)
        {
            _isRunning = _waiting.TryPeek(out send);
            return _isRunning;
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
            await leave.CancelAsync().ConfigureAwait(false);
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

                var (delay, error) = retry.AfterFailure(e);
                if (delay is not { } wait)
                {
                    throw error;
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
        private readonly CancellationTokenRegistration _cancellation;

        public PendingSend(OutgoingMessage message, Task<StreamEnd> ended, CancellationToken cancellationToken)
            : base(TaskCreationOptions.RunContinuationsAsynchronously)
        {
            Message = message;
            Ended = ended;
            CancellationToken = cancellationToken;
            // At once, wherever in the queue it is: its turn may never come.
            _cancellation = cancellationToken.UnsafeRegister(static (send, token) => ((PendingSend)send!).TrySetCanceled(token), this);
        }

        public OutgoingMessage Message { get; }

        public Task<StreamEnd> Ended { get; }

        public CancellationToken CancellationToken { get; }

        public bool WasTried { get; set; }

        public void Dispose() => _cancellation.Dispose();
    }
}
