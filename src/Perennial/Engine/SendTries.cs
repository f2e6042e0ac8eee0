namespace Perennial.Engine;

/// <summary>Sends one message over whatever connection there is, as often as that is safe, where the protocol itself repeats nothing.</summary>
internal sealed class SendTries(TransportCore core)
{
    /// <summary>Tries once. False where the message is to be tried again.</summary>
    /// <param name="connection">Carries it.</param>
    /// <param name="send">The message.</param>
    /// <param name="retry">Counts the failures of this message.</param>
    /// <param name="leave">Gives up.</param>
    /// <exception cref="TransportException">It failed, and another try would not help or might repeat it.</exception>
    public async Task<SendOutcome?> TryAsync(TransportConnection connection, PendingSend send, ReconnectPolicy retry, CancellationToken leave)
    {
        try
        {
            await connection.WaitUntilItSendsAsync(leave).ConfigureAwait(false);
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
            return null;
        }
    }

    private async Task<SendOutcome> TryOnceAsync(TransportConnection connection, PendingSend send, CancellationToken leave)
    {
        using var timer = new CancellationTokenSource(core.Options.SendRules.Timeout, core.Time);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(leave, timer.Token);
        try
        {
            send.WasTried = true;
            send.Message.MarkTried(connection.Number);
            send.CancellationToken.ThrowIfCancellationRequested();
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
}
