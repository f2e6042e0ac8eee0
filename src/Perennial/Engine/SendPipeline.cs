namespace Perennial.Engine;

/// <summary>
/// The outgoing messages of one transport, over all its connections: the one owner of each on its way. They leave in the order of the
/// calls. A connection is given one at a time, or, where its protocol numbers and acknowledges them, as many as the peer may owe an answer;
/// what a lost connection leaves without an answer is then written again on the next. No task runs while nothing can leave. Thread safe.
/// </summary>
internal sealed partial class SendPipeline(TransportCore core) : INumberedAnswers, IAsyncDisposable
{
    private readonly SingleSends _single = new(core);
    private readonly Lock _gate = new();
    private readonly LinkedList<OutgoingSend> _waiting = new();     // those that have no number, in the order of the calls
    private readonly NumberedLedger _numbered = new();              // those that have one and no answer
    private int _withoutFate;
    private int _begunOver;             // the connection that the ledger is about
    private bool _isBroken;             // nothing can be written on it any more
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;
    private ITimer? _timer;             // made by the first numbered message
    private bool _isTimed;              // it will fire

    /// <summary>Completes when nothing can leave at present.</summary>
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

    /// <summary>Queues a message; its task says what becomes of it.</summary>
    public Task<SendOutcome> SendAsync(OutgoingSend send)
    {
        int before;
        lock (_gate)
        {
            before = _withoutFate;
            if (before < core.Options.SendRules.QueueCapacity && send.TryFollow(Ended))
            {
                send.Place = _waiting.AddLast(send);
                _withoutFate++;
            }
        }

        if (send.Place is null)
        {
            send.Fail(TransportErrorCode.SendQueueFull, $"{before} messages wait to be sent or answered; Send.QueueCapacity allows no more.");
        }
        else if (send.Session.HasEnded)
        {
            send.FailWithSession();     // it came too late to be found by End
        }

        Wake();
        return send.Fate;
    }

    /// <summary>There may be something to write, or a connection to write it on.</summary>
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

    /// <summary>A session ended, and with it every message in it. The next one begins under another name, so that none of them arrives in it.</summary>
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

    /// <summary>A message has its fate. What has left under its number keeps it, since a number that was used must arrive.</summary>
    private void Ended(OutgoingSend send)
    {
        lock (_gate)
        {
            if (send.Place is not { } place)
            {
                return;         // it ended before it was queued
            }

            _withoutFate--;
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

            next.TooLarge?.Fail(TransportErrorCode.MessageTooLarge, $"The protocol carries messages of {next.Connection.MaxSendBytes} bytes at most.");
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

    /// <summary>What is to be done next, or <see langword="false"/> where that is nothing, until something happens.</summary>
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

    /// <summary>The first message, once what an earlier connection has numbered is given up: this one cannot repeat it.</summary>
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

            if (first.LeftOver > 0)
            {
                return new NextSend(connection) { Lost = [first] };     // over a connection that gave it no number
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

    /// <summary>The next message to write, with its number; <see langword="null"/> where the first of those that wait has just ended.</summary>
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
            // The reader finds out by itself. What has no answer is written again on the next connection; nothing more on this one.
            lock (_gate)
            {
                _isBroken |= connection.Number == _begunOver;
            }
        }
    }
}
