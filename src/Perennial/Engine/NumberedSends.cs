namespace Perennial.Engine;

/// <summary>
/// The messages of one transport to a server that numbers and acknowledges them (docs/protocol.md, Sends), over all its connections:
/// each keeps its number until it is answered, and what a lost connection leaves without an answer is written again on the next. Touches
/// no I/O: a connection asks what to write, and tells what it was answered. Thread safe.
/// </summary>
internal sealed class NumberedSends : IAsyncDisposable
{
    /// <summary>How many messages may be without an answer.</summary>
    public const int Window = 256;

    private const int LargestMessage = 100_000_000;         // what System.Text.Json writes as one string, however much of it is escaped

    private readonly Lock _gate = new();
    private readonly NumberedLedger _ledger = new();        // under the lock
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private bool _isTimed;                                  // the timer will fire
    private TransportConnection? _line;                     // the present connection
    private Action? _write;                                 // makes it ask what to write
    private TaskCompletionSource? _room;

    /// <param name="timeout">How long an answer may take on one connection.</param>
    /// <param name="time">The clock.</param>
    public NumberedSends(TimeSpan timeout, TimeProvider time)
    {
        _timeout = timeout;
        _time = time;
        _timer = time.CreateTimer(static sends => ((NumberedSends)sends!).FailLate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>From now on this connection writes, beginning with what has no answer.</summary>
    public void Attach(TransportConnection line, Action write)
    {
        lock (_gate)
        {
            (_line, _write) = (line, write);
            _ledger.BeginConnection();
        }

        write();
    }

    /// <summary>This connection writes no more.</summary>
    public void Detach(TransportConnection line)
    {
        lock (_gate)
        {
            if (ReferenceEquals(_line, line))
            {
                (_line, _write) = (null, null);
                _ledger.BeginConnection();
                TimeLocked(Timeout.InfiniteTimeSpan);
            }
        }
    }

    /// <summary>Takes a message; <see langword="null"/> where too many have no answer.</summary>
    /// <exception cref="TransportException">It is larger than can be written as JSON.</exception>
    public NumberedSend? TryAdd(OutgoingMessage message)
    {
        if (message.Data.Length > LargestMessage)
        {
            throw new TransportException(TransportErrorCode.MessageTooLarge, $"A numbered message can have {LargestMessage} bytes at most.")
            {
                Delivery = DeliveryStatus.NotSent,
            };
        }

        lock (_gate)
        {
            if (_ledger.Count >= Window)
            {
                return null;
            }

            var send = new NumberedSend(message, this);
            _ledger.Add(send);
            return send;
        }
    }

    /// <summary>Takes a message back that has not left.</summary>
    public bool TryRemove(NumberedSend send)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!_ledger.Remove(send))
            {
                return false;
            }

            room = TakeRoomLocked();
        }

        room?.TrySetResult();
        return true;
    }

    public bool HasLeft(NumberedSend send)
    {
        lock (_gate)
        {
            return send.Number > 0;
        }
    }

    /// <summary>Makes the present connection ask what to write.</summary>
    public void Wake() => Volatile.Read(ref _write)?.Invoke();

    /// <summary>Completes when <see cref="TryAdd"/> may succeed.</summary>
    public Task WaitForRoomAsync(CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            if (_ledger.Count < Window)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <inheritdoc cref="NumberedLedger.Next"/>
    public (SenderName? Sender, NumberedSend? Send) Next(TransportConnection line)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_line, line))
            {
                return default;
            }

            var next = _ledger.Next();
            if (next.Send is { } send)
            {
                send.LeftAt = _time.GetTimestamp();
                send.Message.MarkTried(line.Number);
                if (!_isTimed)
                {
                    TimeLocked(_timeout);
                }
            }

            return next;
        }
    }

    /// <summary>The server has all messages up to this number, but for those it refused.</summary>
    /// <returns>Whether that was news.</returns>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public bool Acknowledge(TransportConnection line, long received)
    {
        List<NumberedSend> answered;
        bool isForgotten;
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!ReferenceEquals(_line, line))
            {
                return false;
            }

            answered = _ledger.Acknowledge(received, out isForgotten);
            room = TakeRoomLocked();
        }

        if (isForgotten)
        {
            answered.ForEach(static send => send.Fail(Forgotten()));
        }
        else
        {
            answered.ForEach(static send => send.Acknowledge());
        }

        room?.TrySetResult();
        Wake();
        return answered.Count > 0 && !isForgotten;
    }

    /// <summary>The server will not take a message.</summary>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public void Refuse(TransportConnection line, long number, TransportException error)
    {
        NumberedSend? send;
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!ReferenceEquals(_line, line) || !_ledger.TryRefuse(number, out send))
            {
                return;
            }

            room = TakeRoomLocked();
        }

        send.Fail(error);
        room?.TrySetResult();
    }

    /// <summary>
    /// Begins anew under another name: what has left and had no answer has an unknown fate, and what had not left is not sent.
    /// </summary>
    public void Abandon()
    {
        List<NumberedSend> left;
        List<NumberedSend> stayed;
        TaskCompletionSource? room;
        lock (_gate)
        {
            left = _ledger.Forget();
            stayed = _ledger.TakeFresh();
            room = TakeRoomLocked();
        }

        left.ForEach(static send => send.Fail(Forgotten()));
        stayed.ForEach(static send => send.Fail(Unsent()));
        room?.TrySetResult();
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private TaskCompletionSource? TakeRoomLocked()
    {
        var room = _ledger.Count < Window ? _room : null;
        _room = room is null ? _room : null;
        return room;
    }

    /// <summary>
    /// Gives up on what had no answer in time. It keeps its place, since its number is used. While nothing is read no answer can be seen:
    /// that is our silence.
    /// </summary>
    private void FailLate()
    {
        List<NumberedSend> late = [];
        lock (_gate)
        {
            var wait = Timeout.InfiniteTimeSpan;
            foreach (var send in _ledger.Written.Where(static send => !send.Answer.IsCompleted))
            {
                var left = _line?.IsReading == true ? _timeout - _time.GetElapsedTime(send.LeftAt) : _timeout;
                if (left > TimeSpan.Zero)
                {
                    wait = left;
                    break;
                }

                late.Add(send);
            }

            TimeLocked(wait);
        }

        late.ForEach(send => send.Fail(new TransportException(TransportErrorCode.SendTimeout, $"No confirmation within {_timeout}.")
        {
            Delivery = DeliveryStatus.Unknown,
        }));
    }

    private void TimeLocked(TimeSpan wait)
    {
        _isTimed = wait != Timeout.InfiniteTimeSpan;
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private static TransportException Forgotten() =>
        new(TransportErrorCode.ConnectionLost, "The connection broke off before the message was confirmed, and the server does not remember it.")
        {
            Delivery = DeliveryStatus.Unknown,
        };

    private static TransportException Unsent() =>
        new(TransportErrorCode.ConnectionLost, "The server does not number messages any more.") { Delivery = DeliveryStatus.NotSent };
}
