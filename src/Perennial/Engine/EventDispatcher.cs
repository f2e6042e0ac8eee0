using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// Calls event handlers one at a time, in the order in which things happened, away from the thread that reads the network. Where
/// messages are consumed by events too, an event waits until the messages before it were delivered; the buffer's own notices do
/// not, since they are about those that wait.
/// </summary>
internal sealed class EventDispatcher(TransportCore core)
{
    private readonly Lock _gate = core.Gate;
    private readonly EventQueue _events = new(core.Buffer);      // under the lock
    private Task _loop = Task.CompletedTask;
    private bool _isRunning;
    private volatile bool _mustLook;                 // something to do besides reading messages; cleared when nothing is left
    private bool _holdsBuffer;                       // the loop is the buffer's one reader; written by the loop under the lock
    private TaskCompletionSource? _letGo;
    private long _deliverBefore;                     // messages before this place come before every event that waits; written by the loop
    private int _handlerThread;
    private long _delivering = long.MaxValue;        // the place of the message that handlers have not returned from; written by the loop

    public EventHandlers Handlers { get; } = new(core.Sender, core.Options.BufferRules, (happened, error) =>
    {
        core.Metrics.ObserverThrew();
        Log.HandlerThrew(core.Logger, core.Kind, core.Id, happened, error);
    });

    /// <summary>Whether the caller is inside a handler, which must not wait for the dispatcher.</summary>
    public bool IsInHandler => Volatile.Read(ref _handlerThread) == Environment.CurrentManagedThreadId;

    /// <summary>All handlers returned from the messages before this place.</summary>
    public long ReturnedBefore => Volatile.Read(ref _delivering);

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

    /// <summary>
    /// Completes when the dispatcher neither reads the buffer nor waits on it, which it does soon after the last handler of
    /// messages is gone.
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

    /// <summary>Announces something that happened now, after the messages appended so far, where somebody listens to events.</summary>
    public void Post(object happened)
    {
        if (!Handlers.Exist)
        {
            return;
        }

        lock (_gate)
        {
            _events.Add(happened);
            _mustLook = true;
        }

        Look();
    }

    /// <summary>Looks for what there is to do: events, notices of the buffer, messages, or that their handlers came or went.</summary>
    public void Look()
    {
        bool holdsBuffer;
        lock (_gate)
        {
            _mustLook = true;
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
            if (_mustLook && TryTakeDue(out var happened))
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

    /// <summary>Clears the mark before it looks: whoever has news after that sets it again.</summary>
    private bool TryTakeDue(out object? happened)
    {
        _mustLook = false;
        if (core.Buffer.TryTakeNotice(out var notice))
        {
            _mustLook = true;
            happened = notice;
            return true;
        }

        int skipped;
        bool isDue;
        lock (_gate)
        {
            isDue = _events.TryTakeDue(Handlers.ConsumeMessages, out happened);
            _mustLook |= isDue || !_events.IsEmpty;
            skipped = _events.TakeSkipped();
        }

        if (skipped > 0)
        {
            Log.EventsSkipped(core.Logger, core.Kind, core.Id, skipped);
        }

        return isDue;
    }

    /// <summary>Becomes the buffer's reader while messages have a handler, and lets go of it otherwise; returns which.</summary>
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
            _isRunning = _mustLook;
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

    /// <summary>Delivers the next message, unless an event comes before it.</summary>
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
