namespace Perennial.Engine;

/// <summary>
/// Sends one message at a time on connections that do not number messages. Repeats a message as long as that is safe and can help.
/// </summary>
internal sealed class SingleSends(TransportCore core)
{
    /// <summary>
    /// Makes one attempt. Afterwards the outcome of the message is known, or the message must be tried again on the present connection.
    /// </summary>
    public async Task TryAsync(TransportConnection connection, OutgoingSend send)
    {
        if (send.LastConnection > 0 && !connection.SendsAreRepeatable)
        {
            send.Fail(
                TransportErrorCode.ConnectionLost,
                "The connection was interrupted before the message was confirmed, and the message cannot be repeated on the new connection.");
            return;
        }

        using var cancellation = CancellationTokenSource.CreateLinkedTokenSource(send.CancellationToken, send.Session.Over);
        try
        {
            await TryAsync(connection, send, cancellation.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (send.CancellationToken.IsCancellationRequested)
        {
            send.Cancel();
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            send.FailWithSession();
        }
        catch (Exception e)
        {
            send.Fail(e);
        }
    }

    private async Task TryAsync(TransportConnection connection, OutgoingSend send, CancellationToken cancellation)
    {
        var isTried = false;
        try
        {
            await connection.WaitUntilReadyToSendAsync(cancellation).ConfigureAwait(false);
            isTried = send.TryLeave(connection);
            if (isTried)
            {
                var outcome = await SendAsync(connection, send, cancellation).ConfigureAwait(false);
                core.Metrics.MessageSent(send.Message.Data.Length);
                send.Succeed(outcome);
            }
        }
        catch (TransportException e)
        {
            if (isTried && e.Delivery == DeliveryStatus.NotSent)
            {
                send.MarkNotSent();
            }

            await WaitOrFailAsync(connection, send, e, cancellation).ConfigureAwait(false);
        }
    }

    private async Task<SendOutcome> SendAsync(TransportConnection connection, OutgoingSend send, CancellationToken cancellation)
    {
        using var timer = new CancellationTokenSource(core.Options.SendRules.Timeout, core.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation, timer.Token);
        try
        {
            return await connection.SendAsync(send.Message, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            throw new TransportException(
                TransportErrorCode.SendTimeout,
                $"No confirmation within {core.Options.SendRules.Timeout}.",
                connection.SendsAreRepeatable,
                e)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    /// <summary>
    /// Handles a failed attempt: waits before another one, or fails the message if another cannot help or could duplicate it.
    /// </summary>
    private async Task WaitOrFailAsync(
        TransportConnection connection, OutgoingSend send, TransportException failure, CancellationToken cancellation)
    {
        if (failure is { Code: TransportErrorCode.ConnectionLost, Delivery: DeliveryStatus.NotSent })
        {
            core.Connection.Drop(connection);
        }

        send.Retry ??= new ReconnectPolicy(core.Options.ReconnectRules, core.Services.Random);
        var (delay, error) = connection.SendsAreRepeatable || send.LastConnection == 0 ? send.Retry.AfterFailure(failure) : (null, failure);
        if (delay is { } wait)
        {
            await Task.Delay(wait, core.Time, cancellation).ConfigureAwait(false);
        }
        else
        {
            send.Fail(send.LastConnection > 0 ? error.With(DeliveryStatus.Unknown) : error);
        }
    }
}
