namespace Perennial.Engine;

/// <content>What the peer answers to numbered messages, or does not.</content>
internal sealed partial class SendPipeline
{
    /// <inheritdoc/>
    public bool Acknowledge(int connection, long received)
    {
        List<OutgoingSend> answered;
        bool isForgotten;
        lock (_gate)
        {
            if (connection != _begunOver)
            {
                return false;
            }

            answered = _numbered.Acknowledge(received, out isForgotten);
        }

        answered.ForEach(isForgotten ? Forget : Acknowledge);
        Wake();
        return answered.Count > 0 && !isForgotten;
    }

    /// <inheritdoc/>
    public void Refuse(int connection, long number, TransportException error)
    {
        OutgoingSend? send;
        lock (_gate)
        {
            send = connection == _begunOver ? _numbered.Refuse(number) : null;
        }

        send?.Fail(error);
        Wake();
    }

    /// <summary>
    /// Gives up on what had no answer in time. It keeps its place, since its number is used. While nothing is read no answer can be seen:
    /// that is our silence.
    /// </summary>
    private void FailLate()
    {
        List<OutgoingSend> late;
        lock (_gate)
        {
            var isReading = core.Connection.Present is { IsReading: true } connection && connection.Number == _begunOver;
            late = _numbered.FindLate(core.Options.SendRules.Timeout, isReading, core.Time, out var wait);
            TimeLocked(wait);
        }

        late.ForEach(send => send.Fail(TransportErrorCode.SendTimeout, $"No confirmation within {core.Options.SendRules.Timeout}."));
    }

    private void TimeLocked(TimeSpan wait)
    {
        _isTimed = wait != Timeout.InfiniteTimeSpan;
        _timer ??= core.Time.CreateTimer(
            static pipeline => ((SendPipeline)pipeline!).FailLate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Acknowledge(OutgoingSend send)
    {
        core.Metrics.MessageSent(send.Message.Data.Length);
        send.Succeed(SendOutcome.Acknowledged);
    }

    private static void Forget(OutgoingSend send) => send.Fail(
        TransportErrorCode.ConnectionLost, "The connection broke off before the message was confirmed, and the server does not remember it.");
}
