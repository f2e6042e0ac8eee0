using Microsoft.Extensions.Logging;

namespace Perennial.Management;

/// <summary>
/// What a manager announces: every event of every transport, with the transport it is about, and what becomes of the pool.
/// </summary>
/// <remarks>
/// The events of one transport come one at a time and in order; those of several may come at the same time. A handler may call any
/// member of the manager and of the transport. One that throws is logged, and hides the event from no other. One that blocks holds back
/// the events of that transport.
/// </remarks>
public sealed class ManagerEvents
{
    private readonly TransportManager _manager;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly HashSet<Transport> _transports = [];       // those whose events are handed on
    private readonly HashSet<Transport> _consumed = [];         // those whose messages are, too
    private EventHandler<ManagedEvent<StreamMessage>>? _messageReceived;

    internal ManagerEvents(TransportManager manager, ILogger logger)
    {
        _manager = manager;
        _logger = logger;
    }

    /// <summary>A transport came into the pool, created or registered.</summary>
    public event EventHandler<Transport>? Created;

    /// <summary>A transport left the pool and is closed.</summary>
    public event EventHandler<RemovedEvent>? Removed;

    /// <summary>All transports were closed, with how many there were.</summary>
    public event EventHandler<int>? AllClosed;

    /// <summary>Health was checked.</summary>
    public event EventHandler<ManagerHealth>? HealthChecked;

    /// <summary>A check found a transport unhealthy that was not at the check before.</summary>
    public event EventHandler<TransportHealth>? Unhealthy;

    /// <summary>An attempt to connect begins.</summary>
    public event EventHandler<ManagedEvent<ConnectingEvent>>? Connecting;

    /// <summary>A connection stands.</summary>
    public event EventHandler<ManagedEvent<ConnectedEvent>>? Connected;

    /// <summary>A connection was lost or could not be made; another attempt follows.</summary>
    public event EventHandler<ManagedEvent<ReconnectingEvent>>? Reconnecting;

    /// <summary>
    /// A message. While it has a handler, messages of all transports are consumed by events (<see cref="Transport.MessageReceived"/>)
    /// and none can be read as a sequence, but for those that are being read as one when the handler is added: they stay so.
    /// </summary>
    public event EventHandler<ManagedEvent<StreamMessage>>? MessageReceived
    {
        add => AddMessageHandler(value);
        remove => RemoveMessageHandler(value);
    }

    /// <summary>A stream completed or was stopped.</summary>
    public event EventHandler<ManagedEvent<CompletedEvent>>? Completed;

    /// <summary>Something went wrong, recoverable or not.</summary>
    public event EventHandler<ManagedEvent<ErrorEvent>>? ErrorOccurred;

    /// <summary>A transport is closed.</summary>
    public event EventHandler<ManagedEvent<ClosedEvent>>? Closed;

    /// <summary>A buffer filled up to its high-water mark.</summary>
    public event EventHandler<ManagedEvent<BackpressureEvent>>? Backpressure;

    /// <summary>A buffer emptied below its high-water mark.</summary>
    public event EventHandler<ManagedEvent<DrainedEvent>>? Drained;

    /// <summary>Messages are missing, or may be repeated.</summary>
    public event EventHandler<ManagedEvent<GapEvent>>? GapDetected;

    /// <summary>Messages were dropped because a buffer was full.</summary>
    public event EventHandler<ManagedEvent<DroppedEvent>>? MessagesDropped;

    /// <summary>A transport comes into the pool, before anybody else has it.</summary>
    internal void Attach(Transport transport)
    {
        transport.Connecting += OnConnecting;
        transport.Connected += OnConnected;
        transport.Reconnecting += OnReconnecting;
        transport.Completed += OnCompleted;
        transport.ErrorOccurred += OnErrorOccurred;
        transport.Closed += OnClosed;
        transport.Backpressure += OnBackpressure;
        transport.Drained += OnDrained;
        transport.GapDetected += OnGapDetected;
        transport.MessagesDropped += OnMessagesDropped;
        lock (_gate)
        {
            _transports.Add(transport);
            ConsumeLocked(transport);
        }
    }

    /// <summary>
    /// A transport has left for good: its last events were announced, but for those behind a handler that does not return.
    /// </summary>
    internal void Detach(Transport transport)
    {
        lock (_gate)
        {
            _transports.Remove(transport);
            LeaveLocked(transport);
        }

        transport.Connecting -= OnConnecting;
        transport.Connected -= OnConnected;
        transport.Reconnecting -= OnReconnecting;
        transport.Completed -= OnCompleted;
        transport.ErrorOccurred -= OnErrorOccurred;
        transport.Closed -= OnClosed;
        transport.Backpressure -= OnBackpressure;
        transport.Drained -= OnDrained;
        transport.GapDetected -= OnGapDetected;
        transport.MessagesDropped -= OnMessagesDropped;
    }

    private void AddMessageHandler(EventHandler<ManagedEvent<StreamMessage>>? handler)
    {
        lock (_gate)
        {
            _messageReceived += handler;
            foreach (var transport in _transports)
            {
                ConsumeLocked(transport);
            }
        }
    }

    private void RemoveMessageHandler(EventHandler<ManagedEvent<StreamMessage>>? handler)
    {
        lock (_gate)
        {
            _messageReceived -= handler;
            if (_messageReceived is null)
            {
                foreach (var transport in _transports)
                {
                    LeaveLocked(transport);
                }
            }
        }
    }

    internal void RaiseCreated(Transport transport) => Raise(Created, transport);

    internal void RaiseRemoved(RemovedEvent removed) => Raise(Removed, removed);

    internal void RaiseAllClosed(int count) => Raise(AllClosed, count);

    internal void RaiseHealthChecked(ManagerHealth health) => Raise(HealthChecked, health);

    internal void RaiseUnhealthy(TransportHealth health) => Raise(Unhealthy, health);

    /// <summary>Calls each handler; one that throws hides the event from no other.</summary>
    private void Raise<T>(EventHandler<T>? handlers, T happened)
    {
        foreach (var handler in Delegate.EnumerateInvocationList(handlers))
        {
            try
            {
                handler(_manager, happened);
            }
            catch (Exception e)
            {
                ManagerLog.HandlerThrew(_logger, typeof(T).Name, e);
            }
        }
    }

    private void ConsumeLocked(Transport transport)
    {
        if (_messageReceived is null || _consumed.Contains(transport))
        {
            return;
        }

        try
        {
            transport.MessageReceived += OnMessageReceived;
            _consumed.Add(transport);
        }
        catch (InvalidOperationException)
        {
            // It is being read as a sequence, and stays so.
        }
    }

    private void LeaveLocked(Transport transport)
    {
        if (_consumed.Remove(transport))
        {
            transport.MessageReceived -= OnMessageReceived;
        }
    }

    private void Forward<T>(EventHandler<ManagedEvent<T>>? handlers, object? sender, T happened)
    {
        if (handlers is not null)
        {
            Raise(handlers, new ManagedEvent<T>((Transport)sender!, happened));
        }
    }

    private void OnConnecting(object? sender, ConnectingEvent e) => Forward(Connecting, sender, e);

    private void OnConnected(object? sender, ConnectedEvent e) => Forward(Connected, sender, e);

    private void OnReconnecting(object? sender, ReconnectingEvent e) => Forward(Reconnecting, sender, e);

    private void OnMessageReceived(object? sender, StreamMessage message) => Forward(Volatile.Read(ref _messageReceived), sender, message);

    private void OnCompleted(object? sender, CompletedEvent e) => Forward(Completed, sender, e);

    private void OnErrorOccurred(object? sender, ErrorEvent e) => Forward(ErrorOccurred, sender, e);

    private void OnClosed(object? sender, ClosedEvent e) => Forward(Closed, sender, e);

    private void OnBackpressure(object? sender, BackpressureEvent e) => Forward(Backpressure, sender, e);

    private void OnDrained(object? sender, DrainedEvent e) => Forward(Drained, sender, e);

    private void OnGapDetected(object? sender, GapEvent e) => Forward(GapDetected, sender, e);

    private void OnMessagesDropped(object? sender, DroppedEvent e) => Forward(MessagesDropped, sender, e);
}
