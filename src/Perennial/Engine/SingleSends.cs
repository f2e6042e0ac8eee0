namespace Perennial.Engine;

/// <summary>Sends one message at a time over connections that number nothing: as often as that is safe, and worth it.</summary>
internal sealed class SingleSends(TransportCore core)
{
    /// <summary>Tries once. The message has its fate then, or is to be tried again over the connection that there is.</summary>
    public async Task TryAsync(TransportConnection connection, OutgoingSend send)
    {
        if (send.LeftOver > 0 && !connection.SendsAreRepeatable)
        {
            send.Fail(TransportErrorCode.ConnectionLost, "The connection broke off before the message was confirmed, and this one cannot repeat it.");
            return;
        }

        using var leave = CancellationTokenSource.CreateLinkedTokenSource(send.CancellationToken, send.Session.Over);
        try
        {
            await TryAsync(connection, send, leave.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (send.CancellationToken.IsCancellationRequested)
        {
            send.Cancel();
        }
        catch (OperationCanceledException) when (leave.IsCancellationRequested)
        {
            send.FailWithSession();
        }
        catch (Exception e)
        {
            send.Fail(e);
        }
    }

    private async Task TryAsync(TransportConnection connection, OutgoingSend send, CancellationToken leave)
    {
        var isTried = false;
        try
        {
            await connection.WaitUntilItSendsAsync(leave).ConfigureAwait(false);
            isTried = send.TryLeave(connection);
            if (isTried)
            {
                var outcome = await SendAsync(connection, send, leave).ConfigureAwait(false);
                core.Metrics.MessageSent(send.Message.Data.Length);
                send.Succeed(outcome);
            }
        }
        catch (TransportException e)
        {
            if (isTried && e.Delivery == DeliveryStatus.NotSent)
            {
                send.Stayed();
            }

            await WaitOrFailAsync(connection, send, e, leave).ConfigureAwait(false);
        }
    }

    private async Task<SendOutcome> SendAsync(TransportConnection connection, OutgoingSend send, CancellationToken leave)
    {
        using var timer = new CancellationTokenSource(core.Options.SendRules.Timeout, core.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(leave, timer.Token);
        try
        {
            return await connection.SendAsync(send.Message, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (timer.IsCancellationRequested && !leave.IsCancellationRequested)
        {
            throw new TransportException(
                TransportErrorCode.SendTimeout, $"No confirmation within {core.Options.SendRules.Timeout}.", connection.SendsAreRepeatable, e)
            {
                Delivery = DeliveryStatus.Unknown,
            };
        }
    }

    /// <summary>After a failed try: waits before another, or fails the message where that would not help or might repeat it.</summary>
    private async Task WaitOrFailAsync(TransportConnection connection, OutgoingSend send, TransportException failure, CancellationToken leave)
    {
        if (failure is { Code: TransportErrorCode.ConnectionLost, Delivery: DeliveryStatus.NotSent })
        {
            core.Connection.Drop(connection);
        }

        send.Retry ??= new ReconnectPolicy(core.Options.ReconnectRules, core.Services.Random);
        var (delay, error) = connection.SendsAreRepeatable || send.LeftOver == 0 ? send.Retry.AfterFailure(failure) : (null, failure);
        if (delay is { } wait)
        {
            await Task.Delay(wait, core.Time, leave).ConfigureAwait(false);
        }
        else
        {
            send.Fail(send.LeftOver > 0 ? error.With(DeliveryStatus.Unknown) : error);
        }
    }
}
