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
    private readonly TimeSpan _timeout;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly List<NumberedSend> _unanswered = [];   // those that have left, in the order of their numbers
    private readonly List<NumberedSend> _fresh = [];        // those that have not, and so have no number
    private SenderName _sender = SenderName.New();
    private long _last;                                     // the highest number given
    private TransportConnection? _line;                     // the present connection
    private Action? _write;                                 // makes it ask what to write
    private int _written;                                   // how many of the unanswered it has written
    private Naming _naming;
    private bool _isTimed;                                  // the timer will fire
    private TaskCompletionSource? _room;

    /// <param name="timeout">How long an answer may take on one connection.</param>
    /// <param name="time">The clock.</param>
    public NumberedSends(TimeSpan timeout, TimeProvider time)
    {
        _timeout = timeout;
        _time = time;
        _timer = time.CreateTimer(static sends => ((NumberedSends)sends!).FailLate(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Whether the server knows whose messages come over the present connection.</summary>
    private enum Naming
    {
        NotNamed,
        Named,
        Answered,
    }

    private int CountLocked => _unanswered.Count + _fresh.Count;

    /// <summary>From now on this connection writes, beginning with what has no answer.</summary>
    public void Attach(TransportConnection line, Action write)
    {
        lock (_gate)
        {
            (_line, _write, _written, _naming) = (line, write, 0, Naming.NotNamed);
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
                (_line, _write, _written) = (null, null, 0);
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
            if (CountLocked >= Window)
            {
                return null;
            }

            var send = new NumberedSend(message, this);
            _fresh.Add(send);
            return send;
        }
    }

    /// <summary>Takes a message back that has not left.</summary>
    public bool TryRemove(NumberedSend send)
    {
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!_fresh.Remove(send))
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
            if (CountLocked < Window)
            {
                return Task.CompletedTask;
            }

            _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return _room.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>What the connection is to write next: whose messages follow, or one of them; neither where there is nothing, or not yet.</summary>
    public (SenderName? Sender, NumberedSend? Send) Next(TransportConnection line)
    {
        lock (_gate)
        {
            if (!ReferenceEquals(_line, line) || (_written == _unanswered.Count && _fresh.Count == 0))
            {
                return default;
            }

            if (_naming == Naming.NotNamed)
            {
                _naming = Naming.Named;
                _sender = _sender with { Next = _unanswered is [var lowest, ..] ? lowest.Number : _last + 1 };
                return (_sender, null);
            }

            // A server that has forgotten the sender would see a hole; one that never knew it cannot.
            return _naming == Naming.Named && _sender.Next > 1 ? default : (null, TakeLocked());
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
            if (!ReferenceEquals(_line, line) || _naming == Naming.NotNamed)
            {
                return false;
            }

            ThrowIfNeverGivenLocked(received);
            isForgotten = _naming == Naming.Named && received < _sender.Next - 1;
            _naming = Naming.Answered;
            answered = isForgotten ? ForgetLocked() : TakeUpToLocked(received);
            room = TakeRoomLocked();
        }

        foreach (var send in answered)
        {
            if (isForgotten)
            {
                send.Fail(Forgotten());
            }
            else
            {
                send.Acknowledge();
            }
        }

        room?.TrySetResult();
        Wake();
        return answered.Count > 0 && !isForgotten;
    }

    /// <summary>The server will not take a message.</summary>
    /// <exception cref="TransportException">There is no such number yet.</exception>
    public void Refuse(TransportConnection line, long number, TransportException error)
    {
        NumberedSend send;
        TaskCompletionSource? room;
        lock (_gate)
        {
            if (!ReferenceEquals(_line, line))
            {
                return;
            }

            ThrowIfNeverGivenLocked(number);
            var index = _unanswered.FindIndex(send => send.Number == number);
            if (index < 0)
            {
                return;         // said before
            }

            send = _unanswered[index];
            _unanswered.RemoveAt(index);
            _written -= index < _written ? 1 : 0;
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
            stayed = [.. _fresh];
            _fresh.Clear();
            left = ForgetLocked();
            room = TakeRoomLocked();
        }

        left.ForEach(static send => send.Fail(Forgotten()));
        stayed.ForEach(static send => send.Fail(Unsent()));
        room?.TrySetResult();
    }

    public ValueTask DisposeAsync() => _timer.DisposeAsync();

    private NumberedSend TakeLocked()
    {
        if (_written == _unanswered.Count)
        {
            _fresh[0].Number = ++_last;
            _unanswered.Add(_fresh[0]);
            _fresh.RemoveAt(0);
        }

        var send = _unanswered[_written++];
        send.LeftAt = _time.GetTimestamp();
        if (!_isTimed)
        {
            TimeLocked(_timeout);
        }

        return send;
    }

    private List<NumberedSend> TakeUpToLocked(long received)
    {
        var count = _unanswered.TakeWhile(send => send.Number <= received).Count();
        var answered = _unanswered[..count];
        _unanswered.RemoveRange(0, count);
        _written = Math.Max(0, _written - count);
        return answered;
    }

    private List<NumberedSend> ForgetLocked()
    {
        List<NumberedSend> left = [.. _unanswered];
        _unanswered.Clear();
        (_sender, _last, _written, _naming) = (SenderName.New(), 0, 0, Naming.NotNamed);
        return left;
    }

    private TaskCompletionSource? TakeRoomLocked()
    {
        var room = CountLocked < Window ? _room : null;
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
            foreach (var send in _unanswered.Take(_written).Where(static send => !send.Answer.IsCompleted))
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

    private void ThrowIfNeverGivenLocked(long number)
    {
        if (number > _last)
        {
            throw new TransportException(TransportErrorCode.ProtocolViolation, "The server answered a message that was not sent yet.");
        }
    }

    private static TransportException Forgotten() =>
        new(TransportErrorCode.ConnectionLost, "The connection broke off before the message was confirmed, and the server does not remember it.")
        {
            Delivery = DeliveryStatus.Unknown,
        };

    private static TransportException Unsent() =>
        new(TransportErrorCode.ConnectionLost, "The server does not number messages any more.") { Delivery = DeliveryStatus.NotSent };
}
