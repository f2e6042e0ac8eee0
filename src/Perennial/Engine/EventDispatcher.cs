namespace Perennial.Engine;

/// <summary>
/// Calls event handlers one at a time, in the order in which things happened, away from the thread that reads the network. Where
/// messages are consumed by events too, an event waits until the messages before it were delivered; the buffer's own notices do
/// not, since they are about those that wait.
/// </summary>
internal sealed class EventDispatcher(MessageBuffer buffer, Action<object> raise, Action<StreamMessage> deliver, Action<int> skipped)
{
    /// <summary>Events that may wait behind a handler that does not return; beyond it the oldest are skipped and counted.</summary>
    public const int Limit = 1024;

    private readonly Lock _gate = new();
    private readonly Queue<(object Event, long Place)> _events = new();
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;
    private volatile bool _mustLook;                 // something to do besides reading messages; cleared when nothing is left
    private volatile bool _deliversMessages;
    private int _handlerThread;

    /// <summary>Whether the caller is inside a handler, which must not wait for the dispatcher.</summary>
    public bool IsInHandler => Volatile.Read(ref _handlerThread) == Environment.CurrentManagedThreadId;

    /// <summary>Completes when there is nothing left to announce.</summary>
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

    /// <summary>Announces something that happened now, after the messages appended so far.</summary>
    public void Post(object happened)
    {
        var isFull = false;
        lock (_gate)
        {
            if (_events.Count == Limit)
            {
                _events.Dequeue();
                isFull = true;
            }

            _events.Enqueue((happened, buffer.Appended));
            RunLocked();
        }

        WakeFromBuffer();
        if (isFull)
        {
            skipped(1);
        }
    }

    /// <summary>Says whether messages are consumed by events.</summary>
    public void DeliverMessages(bool value)
    {
        _deliversMessages = value;
        Look();
        buffer.WakeReader();
    }

    /// <summary>Looks for what the buffer has: notices, or messages that come again after an end.</summary>
    public void Look()
    {
        lock (_gate)
        {
            RunLocked();
        }

        WakeFromBuffer();
    }

    private void RunLocked()
    {
        _mustLook = true;
        if (!_isRunning)
        {
            _isRunning = true;
            _loop = Task.Run(RunAsync);
        }
    }

    private void WakeFromBuffer()
    {
        if (_deliversMessages)
        {
            buffer.WakeReader();
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            if (_mustLook && TryTakeDue(out var happened))
            {
                InHandler(raise, happened!);
            }
            else if (_deliversMessages && buffer.TryRead(out var message))
            {
                InHandler(deliver, message);
            }
            else if ((!_deliversMessages || !await buffer.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false)) && TryFinish())
            {
                return;
            }
        }
    }

    /// <summary>Clears the mark before it looks: whoever has news after that sets it again.</summary>
    private bool TryTakeDue(out object? happened)
    {
        _mustLook = false;
        if (buffer.TryTakeNotice(out var notice))
        {
            _mustLook = true;
            happened = notice;
            return true;
        }

        lock (_gate)
        {
            var isDue = _events.TryPeek(out var first) && (!_deliversMessages || buffer.IsPast(first.Place));
            happened = isDue ? _events.Dequeue().Event : null;
            _mustLook |= first.Event is not null;
            return isDue;
        }
    }

    private bool TryFinish()
    {
        lock (_gate)
        {
            _isRunning = _mustLook;
            return !_isRunning;
        }
    }

    private void InHandler<T>(Action<T> handler, T argument)
    {
        Volatile.Write(ref _handlerThread, Environment.CurrentManagedThreadId);
        handler(argument);
        Volatile.Write(ref _handlerThread, 0);
    }
}
