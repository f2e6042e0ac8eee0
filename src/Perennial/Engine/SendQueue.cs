namespace Perennial.Engine;

/// <summary>
/// Outgoing messages in the order of the calls. They wait here while there is no connection; each ends with what is truly known of it.
/// A connection is given one at a time, or as many as its protocol numbers. No task runs while the queue is empty.
/// </summary>
internal sealed class SendQueue(TransportCore core)
{
    private readonly SendTries _tries = new(core);
    private readonly Lock _gate = new();
    private readonly LinkedList<PendingSend> _waiting = new();
    private int _handedOver;            // to a protocol that numbers them, and not answered yet
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;

    /// <summary>Completes when nothing waits to be sent.</summary>
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
    /// <param name="session">What waits when it is over is not sent.</param>
    /// <param name="cancellationToken">Takes the message back, or stops waiting for the peer's answer.</param>
    public Task<SendOutcome> SendAsync(OutgoingMessage message, TransportSession session, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested)
        {
            return Task.FromCanceled<SendOutcome>(cancellationToken);
        }

        var send = new PendingSend(message, session, TakeBack, cancellationToken);
        lock (_gate)
        {
            if (_waiting.Count + _handedOver >= core.Options.SendRules.QueueCapacity)
            {
                send.Dispose();     // does not wait for a cancellation, which may wait for this lock
                return Task.FromException<SendOutcome>(new TransportException(
                    TransportErrorCode.SendQueueFull,
                    $"{_waiting.Count + _handedOver} messages wait to be sent or answered; Send.QueueCapacity allows no more.")
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

            if (send.Numbered is null)      // what is numbered was removed when it was handed over
            {
                Remove(send);
            }
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

    /// <summary>Brings the first message to its end, or into the hands of a protocol that numbers it.</summary>
    private async Task SendAsync(PendingSend send)
    {
        using var leave = CancellationTokenSource.CreateLinkedTokenSource(send.CancellationToken, send.Session.Over);
        try
        {
            var retry = new ReconnectPolicy(core.Options.ReconnectRules, core.Services.Random);
            SendOutcome? outcome = null;
            while (outcome is null)
            {
                var connection = await core.Connection.GetAsync(leave.Token).ConfigureAwait(false);
                ThrowIfRepeatedOtherwise(send, connection);
                if (connection.NumberedSends is not { } numbered)
                {
                    outcome = await _tries.TryAsync(connection, send, retry, leave.Token).ConfigureAwait(false);
                }
                else if (TryHandOver(send, numbered))
                {
                    return;
                }
                else
                {
                    await numbered.WaitForRoomAsync(leave.Token).ConfigureAwait(false);
                }
            }

            Succeed(send, outcome.Value);
        }
        catch (OperationCanceledException) when (send.CancellationToken.IsCancellationRequested)
        {
            send.TrySetCanceled(send.CancellationToken);
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            send.EndWithSession(send.WasTried);
        }
        catch (Exception e)
        {
            send.TrySetException(e);
        }

        send.Dispose();
    }

    /// <summary>The connection may be of another protocol than the one over which the message may have arrived.</summary>
    private static void ThrowIfRepeatedOtherwise(PendingSend send, TransportConnection connection)
    {
        if (send.MayHaveArrived && (connection.NumberedSends is not null || !connection.SendsAreRepeatable))
        {
            throw new TransportException(
                TransportErrorCode.ConnectionLost, "The connection broke off before the message was confirmed, and this one cannot repeat it.")
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    private bool TryHandOver(PendingSend send, NumberedSends numbered)
    {
        lock (_gate)
        {
            if (send.Task.IsCompleted)
            {
                return true;        // cancelled meanwhile
            }

            if (numbered.TryAdd(send.Message) is not { } added)
            {
                return false;
            }

            send.Numbered = added;
            _waiting.Remove(send);
            _handedOver++;
        }

        numbered.Wake();
        _ = FollowAsync(send, send.Numbered);
        return true;
    }

    private async Task FollowAsync(PendingSend send, NumberedSend numbered)
    {
        try
        {
            Succeed(send, await numbered.Answer.WaitAsync(send.Session.Over).ConfigureAwait(false));
        }
        catch (OperationCanceledException)
        {
            // The session is over; or it was withdrawn, and its own task says so already.
            send.EndWithSession(numbered.HasLeft);
        }
        catch (TransportException e)
        {
            send.TrySetException(e);
        }

        send.Dispose();
        lock (_gate)
        {
            _handedOver--;
        }
    }

    private void Succeed(PendingSend send, SendOutcome outcome)
    {
        core.Metrics.MessageSent(send.Message.Data.Length);
        send.TrySetResult(outcome);
    }

    /// <summary>Gives the place of a cancelled message free, unless it has left under its number.</summary>
    private void TakeBack(PendingSend send)
    {
        Remove(send);
        send.Numbered?.Withdraw();
    }

    private void Remove(PendingSend send)
    {
        lock (_gate)
        {
            _waiting.Remove(send);
        }
    }
}
