using Microsoft.Extensions.Logging;
using Perennial.Diagnostics;

namespace Perennial.Engine;

/// <summary>
/// The state of a transport and the session it belongs to, under one lock. A start or an end changes both at once. So code that starts the
/// transport again, for instance in a handler of <c>Closed</c>, finds the previous session completely ended.
/// </summary>
/// <param name="core">The transport's parts. A start opens its buffer, an end closes it, and its events announce the end.</param>
internal sealed class LifeCycle(TransportCore core)
{
    private readonly Lock _gate = core.Gate;
    private TransportState _state;                      // written by TryEnterLocked only
    private long _stateSince = core.Time.GetTimestamp();        // written by TryEnterLocked only
    private TransportSession _session = new(core.Gate); // written by StartOrJoin only
    private bool _isDisposed;

    public TransportState State
    {
        get
        {
            lock (_gate)
            {
                return _state;
            }
        }
    }

    /// <summary>The timestamp at which the transport entered its state.</summary>
    public long StateSince
    {
        get
        {
            lock (_gate)
            {
                return _stateSince;
            }
        }
    }

    /// <summary>The session that is not started yet, runs, or was the last.</summary>
    public TransportSession Session
    {
        get
        {
            lock (_gate)
            {
                return _session;
            }
        }
    }

    /// <summary>Enters a state if the table allows it.</summary>
    public bool TryEnter(TransportState next)
    {
        bool hasEntered;
        TransportState from;
        lock (_gate)
        {
            from = _state;
            hasEntered = TryEnterLocked(next);
        }

        Announce(from, next, hasEntered);
        return hasEntered;
    }

    /// <summary>Returns the session, and whether the caller has just started it and must run its loop.</summary>
    /// <param name="startsAgain">Whether to replace an ended session with a new one.</param>
    /// <exception cref="ObjectDisposedException">No new session can start.</exception>
    public (TransportSession Session, bool IsStarter) StartOrJoin(bool startsAgain)
    {
        TransportSession session;
        TransportState from;
        lock (_gate)
        {
            if (_session.HasEnded && startsAgain)
            {
                ObjectDisposedException.ThrowIf(_isDisposed, core.Sender);
                _session = new TransportSession(_gate);
                core.Buffer.Reopen();
            }

            session = _session;
            if (session.HasEnded || !session.TryStart())
            {
                return (session, false);
            }

            from = _state;
            TryEnterLocked(TransportState.Connecting);
        }

        Announce(from, TransportState.Connecting, hasEntered: true);
        return (session, true);
    }

    /// <summary>Ends the session: its state, events, completion and buffer. Called once per session.</summary>
    /// <param name="end">How the session ended.</param>
    /// <param name="attempt">The number of consecutive failures, which is announced with the error that ended the session.</param>
    public void End(StreamEnd end, int attempt)
    {
        TransportState from;
        TransportState to;
        lock (_gate)
        {
            from = _state;
            to = EndLocked(end, attempt);
        }

        Announce(from, to, hasEntered: true);
    }

    /// <summary>
    /// Requests the end of the session, and returns it. A session that was not started has ended when the method returns.
    /// </summary>
    public TransportSession Leave()
    {
        TransportSession session;
        TransportState from;
        bool isOverAtOnce;
        lock (_gate)
        {
            (session, from) = (_session, _state);
            isOverAtOnce = !session.IsStarted && !session.HasEnded;
            if (isOverAtOnce)
            {
                EndLocked(StreamEnd.ClosedByCaller, attempt: 0);
            }
        }

        Announce(from, TransportState.Closed, isOverAtOnce);
        session.RequestStop();
        return session;
    }

    /// <summary>Prevents new sessions.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
        }
    }

    private TransportState EndLocked(StreamEnd end, int attempt)
    {
        if (end.Error is { } error && core.Events is { Handlers.Exist: true } events)
        {
            events.Post(new ErrorEvent
            {
                Exception = error,
                IsRecoverable = false,
                State = _state,
                Attempt = attempt,
                Time = core.Time.GetUtcNow(),
            });
        }

        var to = end.Error is null ? TransportState.Closed : TransportState.Failed;
        TryEnterLocked(to);
        if (end.Reason is StreamEndReason.Completed or StreamEndReason.Stopped)
        {
            core.Events?.Post(new CompletedEvent { End = end });
        }

        core.Events?.Post(new ClosedEvent { End = end });
        _session.End(end);
        core.Buffer.End(end);
        return to;
    }

    private bool TryEnterLocked(TransportState next)
    {
        if (!_state.CanBecome(next))
        {
            return false;
        }

        _stateSince = _state == next ? _stateSince : core.Time.GetTimestamp();
        _state = next;
        return true;
    }

    /// <summary>Raises the events of a change of state. Called outside the lock.</summary>
    private void Announce(TransportState from, TransportState to, bool hasEntered)
    {
        if (hasEntered && from != to && core.Logger.IsEnabled(LogLevel.Information))
        {
            Log.StateChanged(core.Logger, core.Kind, core.Id, from, to);
        }
    }
}
