using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Calls event handlers one at a time, in the order of the events, on another thread than the one that reads from the network. If messages
/// are consumed by events too, an event waits until the messages before it were delivered. Notices of the buffer do not wait, since they
/// concern the waiting messages.
/// </summary>
internal sealed class EventDispatcher(TransportCore core)
{
    private readonly Lock _gate = core.Gate;
    private readonly EventQueue _events = new(core.Buffer);      // under the lock
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;
    private volatile bool _hasWork;                 // there is work other than reading messages; cleared when nothing is left
    private bool _holdsBuffer;                       // the loop is the buffer's one reader; written by the loop under the lock
    private TaskCompletionSource? _letGo;
    private long _deliverBefore;                     // messages before this position precede all waiting events; written by the loop
    private int _handlerThread;
    private long _delivering = long.MaxValue;        // the position of the message whose handlers are running; written by the loop

    public EventHandlers Handlers { get; } = new(core.Sender, core.Options.BufferRules, (happened, error) =>
    {
        core.Metrics.ObserverThrew();
        Log.HandlerThrew(core.Logger, core.Kind, core.Id, happened, error);
    });

    /// <summary>Whether the caller is inside a handler. A handler must not wait for the dispatcher.</summary>
    public bool IsInHandler => Volatile.Read(ref _handlerThread) == Environment.CurrentManagedThreadId;

    /// <summary>The position before which the handlers of all messages have returned.</summary>
    public long ReturnedBefore => Volatile.Read(ref _delivering);

    /// <summary>Completes when there is no event left to raise.</summary>
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

    /// <summary>
    /// Completes when the dispatcher neither reads from the buffer nor waits for it, which happens soon after the last message handler was
    /// removed.
    /// </summary>
    public Task WhenBufferIsFree
    {
        get
        {
            lock (_gate)
            {
                return _holdsBuffer && !IsInHandler
                    ? (_letGo ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)).Task
                    : Task.CompletedTask;
            }
        }
    }

    /// <summary>Adds an event, after the messages appended so far, if any handler is registered.</summary>
    public void Post(object happened)
    {
        if (!Handlers.Exist)
        {
            return;
        }

        lock (_gate)
        {
            _events.Add(happened);
            _hasWork = true;
        }

        Wake();
    }

    /// <summary>Starts the loop if there is work: events, notices of the buffer, messages, or a change of the message handlers.</summary>
    public void Wake()
    {
        bool holdsBuffer;
        lock (_gate)
        {
            _hasWork = true;
            holdsBuffer = _holdsBuffer;
            if (!_isRunning)
            {
                _isRunning = true;
                _loop = DetachedTask.Run(RunAsync);
            }
        }

        if (holdsBuffer || Handlers.ConsumeMessages)
        {
            core.Buffer.WakeReader();
        }
    }

    private async Task RunAsync()
    {
        while (true)
        {
            if (_hasWork && TryTakeDue(out var happened))
            {
                HoldBuffer(false);
                Raise(happened!);
            }
            else if (HoldBuffer(Handlers.ConsumeMessages))
            {
                if (!TryDeliver() && await core.Buffer.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false) is not null && TryFinish())
                {
                    return;
                }
            }
            else if (TryFinish())
            {
                return;
            }
        }
    }

    /// <summary>
    /// Takes the next event that is due. Clears the flag before it looks, so that an event added later sets the flag again.
    /// </summary>
    private bool TryTakeDue(out object? happened)
    {
        _hasWork = false;
        if (core.Buffer.TryTakeNotice(out var notice))
        {
            _hasWork = true;
            happened = notice;
            return true;
        }

        int skipped;
        bool isDue;
        lock (_gate)
        {
            isDue = _events.TryTakeDue(Handlers.ConsumeMessages, out happened);
            _hasWork |= isDue || !_events.IsEmpty;
            skipped = _events.TakeSkipped();
        }

        if (skipped > 0)
        {
            Log.EventsSkipped(core.Logger, core.Kind, core.Id, skipped);
        }

        return isDue;
    }

    /// <summary>
    /// Makes the dispatcher the buffer's reader while messages have a handler, and releases the buffer otherwise. Returns whether it is the
    /// reader.
    /// </summary>
    private bool HoldBuffer(bool wanted)
    {
        if (wanted == _holdsBuffer)
        {
            return wanted;
        }

        lock (_gate)
        {
            HoldBufferLocked(wanted && Handlers.ConsumeMessages);
            return _holdsBuffer;
        }
    }

    private void HoldBufferLocked(bool value)
    {
        _holdsBuffer = value;
        if (!value)
        {
            _letGo?.SetResult();
            _letGo = null;
        }
    }

    private bool TryFinish()
    {
        lock (_gate)
        {
            _isRunning = _hasWork;
            if (!_isRunning)
            {
                HoldBufferLocked(false);
            }

            return !_isRunning;
        }
    }

    private void Raise(object happened)
    {
        Volatile.Write(ref _handlerThread, Environment.CurrentManagedThreadId);
        Handlers.Raise(happened);
        Volatile.Write(ref _handlerThread, 0);
    }

    /// <summary>Delivers the next message, unless an event must be raised before it.</summary>
    private bool TryDeliver()
    {
        var next = core.Buffer.Removed;
        if (next >= _deliverBefore)
        {
            lock (_gate)
            {
                _deliverBefore = _events.NextPlace();
            }
        }

        Volatile.Write(ref _delivering, next);
        Volatile.Write(ref _handlerThread, Environment.CurrentManagedThreadId);
        var isDelivered = Handlers.TryDeliver(core.Buffer, _deliverBefore);
        Volatile.Write(ref _handlerThread, 0);
        Volatile.Write(ref _delivering, long.MaxValue);
        return isDelivered;
    }
}
