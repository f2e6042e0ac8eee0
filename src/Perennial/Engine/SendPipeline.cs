namespace Perennial.Engine;

/// <summary>
/// The outgoing messages of one transport over all its connections, and their only owner while they are on the way. Messages leave in the
/// order of the calls. A connection gets one message at a time; or, if its protocol numbers and acknowledges messages, as many as may be
/// without an answer. Messages that a lost connection left without an answer are written again on the next one. No task runs while nothing
/// can leave. Thread safe.
/// </summary>
internal sealed partial class SendPipeline(TransportCore core) : IAsyncDisposable
{
    private readonly SingleSends _single = new(core);
    private readonly Lock _gate = new();
    private readonly LinkedList<OutgoingSend> _waiting = new();     // messages without a number, in the order of the calls
    private readonly NumberedLedger _numbered = new();              // messages with a number and without an answer
    private int _withoutOutcome;
    private int _begunOver;             // the number of the connection that the ledger refers to
    private bool _isBroken;             // nothing can be written on that connection any more
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;
    private ITimer? _timer;             // created by the first numbered message
    private bool _isTimed;              // the timer will fire

    /// <summary>Completes when nothing can leave now.</summary>
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

    /// <summary>Queues a message. The task completes with its outcome.</summary>
    public Task<SendOutcome> SendAsync(OutgoingSend send)
    {
        int before;
        lock (_gate)
        {
            before = _withoutOutcome;
            if (before < core.Options.SendRules.QueueCapacity && send.TryFollow(Ended))
            {
                send.Place = _waiting.AddLast(send);
                _withoutOutcome++;
            }
        }

        if (send.Place is null)
        {
            send.Fail(
                TransportErrorCode.SendQueueFull,
                $"{before} messages are waiting to be sent or answered, which is the limit of Send.QueueCapacity.");
        }
        else if (send.Session.HasEnded)
        {
            send.FailWithSession();     // queued too late for End to find it
        }

        Wake();
        return send.Outcome;
    }

    /// <summary>Starts the loop, because there may be a message to write or a connection to write it on.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_isRunning && core.Connection.Present is not null && (_waiting.Count > 0 || _numbered.Count > 0))
            {
                _isRunning = true;
                _loop = DetachedTask.Run(RunAsync);
            }
        }
    }

    /// <summary>
    /// Ends every message of an ended session. The next session uses another sender name, so that none of these messages arrives in it.
    /// </summary>
    public void End(TransportSession session)
    {
        List<OutgoingSend> ended;
        lock (_gate)
        {
            ended = [.. _numbered.Forget(), .. _waiting.Where(send => send.Session == session)];
        }

        ended.ForEach(static send => send.FailWithSession());
    }

    public ValueTask DisposeAsync() => _timer?.DisposeAsync() ?? ValueTask.CompletedTask;

    /// <summary>
    /// Handles the end of a send. A message that has left with its number stays in the ledger, because a used number must arrive.
    /// </summary>
    private void Ended(OutgoingSend send)
    {
        lock (_gate)
        {
            if (send.Place is not { } place)
            {
                return;         // ended before it was queued
            }

            _withoutOutcome--;
            if (place.List is not null)
            {
                _waiting.Remove(place);
            }
        }
    }

    private async Task RunAsync()
    {
        while (TryTakeNext(out var next))
        {
            foreach (var lost in next.Lost ?? [])
            {
                Forget(lost);
            }

            next.TooLarge?.Fail(
                TransportErrorCode.MessageTooLarge,
                $"The message is too large: the protocol carries at most {next.Connection.MaxSendBytes} bytes.");
            if (next.Connection is { NumbersSends: true } numbering)
            {
                await WriteAsync(numbering, next).ConfigureAwait(false);
            }
            else if (next.Send is { } send)
            {
                await _single.TryAsync(next.Connection, send).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Determines the next step. Returns <see langword="false"/> if nothing can be done until something changes.</summary>
    private bool TryTakeNext(out NextSend next)
    {
        lock (_gate)
        {
            next = default;
            if (core.Connection.Present is { } connection)
            {
                if (connection.Number != _begunOver)
                {
                    (_begunOver, _isBroken) = (connection.Number, false);
                    _numbered.BeginConnection();
                }

                next = connection.NumbersSends ? NextNumberedLocked(connection) : NextSingleLocked(connection);
            }

            _isRunning = next != default;
            return _isRunning;
        }
    }

    /// <summary>
    /// Returns the first message. Messages that an earlier connection numbered are returned as lost first, because this connection cannot
    /// repeat them.
    /// </summary>
    private NextSend NextSingleLocked(TransportConnection connection) =>
        _numbered.Count > 0 ? new NextSend(connection) { Lost = _numbered.Forget() }
        : _waiting.First is not { Value: var first } ? default
        : first.Message.Data.Length > connection.MaxSendBytes ? new NextSend(connection) { TooLarge = first }
        : new NextSend(connection) { Send = first };

    private NextSend NextNumberedLocked(TransportConnection connection)
    {
        if (_isBroken)
        {
            return default;
        }

        if (!_numbered.HasUnwritten)
        {
            if (!_numbered.HasRoom || _waiting.First is not { Value: var first })
            {
                return default;
            }

            if (first.LastConnection > 0)
            {
                return new NextSend(connection) { Lost = [first] };     // left on a connection that did not number it
            }

            if (first.Message.Data.Length > connection.MaxSendBytes)
            {
                return new NextSend(connection) { TooLarge = first };
            }
        }

        if (_numbered.TakeName() is { } name)
        {
            return new NextSend(connection) { Name = name };
        }

        return _numbered.IsKnown ? new NextSend(connection) { Send = TakeNumberedLocked(connection) } : default;
    }

    /// <summary>
    /// Returns the next message to write, with its number. <see langword="null"/> if the first waiting message has just ended.
    /// </summary>
    private OutgoingSend? TakeNumberedLocked(TransportConnection connection)
    {
        OutgoingSend send;
        if (_numbered.HasUnwritten)
        {
            send = _numbered.Rewrite();
            send.TryLeave(connection);
        }
        else
        {
            send = _waiting.First!.Value;
            _waiting.RemoveFirst();
            if (!send.TryLeave(connection))
            {
                return null;
            }

            _numbered.Add(send);
        }

        send.LeftAt = core.Time.GetTimestamp();
        if (!_isTimed)
        {
            TimeLocked(core.Options.SendRules.Timeout);
        }

        return send;
    }

    private async Task WriteAsync(TransportConnection connection, NextSend next)
    {
        try
        {
            if (next.Name is { } name)
            {
                await connection.WriteSenderAsync(name.Id, name.Next, CancellationToken.None).ConfigureAwait(false);
            }
            else if (next.Send is { } send)
            {
                await connection.WriteNumberedAsync(send.Message, send.Number, CancellationToken.None).ConfigureAwait(false);
            }
        }
        catch (Exception)
        {
            // The pending read detects the error. Messages without an answer are written again on the next connection; this one writes
            // nothing more.
            lock (_gate)
            {
                _isBroken |= connection.Number == _begunOver;
            }
        }
    }
}
