namespace Perennial.Engine;

/// <content>The peer's answers to numbered messages, and missing answers.</content>
internal sealed partial class SendPipeline
{
    /// <inheritdoc cref="ISendQueue.Acknowledge"/>
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

    /// <inheritdoc cref="ISendQueue.Refuse"/>
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
    /// Fails the sends that had no answer in time. They keep their places, since their numbers are used. While the transport reads nothing
    /// it cannot see an answer, so the time does not count.
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
        TransportErrorCode.ConnectionLost,
        "The connection was interrupted before the message was confirmed, and the server does not remember it.");
}
