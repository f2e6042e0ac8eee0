using Microsoft.Extensions.Logging;

namespace Perennial.Management;

/// <summary>The events of a manager: every event of every transport together with the transport, and the events of the pool.</summary>
/// <remarks>
/// The events of one transport are raised one at a time and in order; events of different transports may be raised at the same time. A
/// handler may call any member of the manager and of the transport. If a handler throws, the exception is logged and the other handlers
/// still run. A handler that blocks delays the further events of that transport.
/// </remarks>
public sealed class ManagerEvents
{
    private readonly object _manager;
    private readonly ILogger _logger;
    private readonly Lock _gate = new();
    private readonly HashSet<Transport> _transports = [];       // the transports whose events are raised here
    private readonly HashSet<Transport> _consumed = [];         // the transports whose messages are raised here too
    private EventHandler<ManagedEvent<StreamMessage>>? _messageReceived;

    internal ManagerEvents(object manager, ILogger logger)
    {
        _manager = manager;
        _logger = logger;
    }

    /// <summary>Occurs when a transport was added to the pool, created or registered.</summary>
    public event EventHandler<Transport>? Created;

    /// <summary>Occurs when a transport has left the pool and is closed.</summary>
    public event EventHandler<RemovedEvent>? Removed;

    /// <summary>Occurs when all transports were closed, with their number.</summary>
    public event EventHandler<int>? AllClosed;

    /// <summary>Occurs when the health of all transports was checked.</summary>
    public event EventHandler<ManagerHealth>? HealthChecked;

    /// <summary>Occurs when a check finds a transport unhealthy that was not unhealthy at the previous check.</summary>
    public event EventHandler<TransportHealth>? Unhealthy;

    /// <summary>Occurs when an attempt to connect begins.</summary>
    public event EventHandler<ManagedEvent<ConnectingEvent>>? Connecting;

    /// <summary>Occurs when a connection is established.</summary>
    public event EventHandler<ManagedEvent<ConnectedEvent>>? Connected;

    /// <summary>Occurs when a connection was lost or could not be established, and another attempt follows.</summary>
    public event EventHandler<ManagedEvent<ReconnectingEvent>>? Reconnecting;

    /// <summary>
    /// Occurs for each message. While the event has a handler, it consumes the messages of all transports
    /// (<see cref="Transport.MessageReceived"/>), and no transport can be read as a sequence. A transport that is being read as a sequence
    /// when the handler is added stays so.
    /// </summary>
    public event EventHandler<ManagedEvent<StreamMessage>>? MessageReceived
    {
        add => AddMessageHandler(value);
        remove => RemoveMessageHandler(value);
    }

    /// <summary>Occurs when a stream completed or was stopped.</summary>
    public event EventHandler<ManagedEvent<CompletedEvent>>? Completed;

    /// <summary>Occurs for each error, whether the transport recovers from it or not.</summary>
    public event EventHandler<ManagedEvent<ErrorEvent>>? ErrorOccurred;

    /// <summary>Occurs when a transport is closed.</summary>
    public event EventHandler<ManagedEvent<ClosedEvent>>? Closed;

    /// <summary>Occurs when a buffer fills to its high-water mark.</summary>
    public event EventHandler<ManagedEvent<BackpressureEvent>>? Backpressure;

    /// <summary>Occurs when a buffer empties below its high-water mark.</summary>
    public event EventHandler<ManagedEvent<DrainedEvent>>? Drained;

    /// <summary>Occurs when messages are missing or may be repeated.</summary>
    public event EventHandler<ManagedEvent<GapEvent>>? GapDetected;

    /// <summary>Occurs when messages were dropped because a buffer was full.</summary>
    public event EventHandler<ManagedEvent<DroppedEvent>>? MessagesDropped;

    /// <summary>
    /// Subscribes to a transport's events. Called when the transport is added to the pool, before other code can find it.
    /// </summary>
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
    /// Unsubscribes from a transport that is closed. Its last events were raised, except those behind a handler that does not return.
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

    /// <summary>Calls each handler. If one throws, the others still run.</summary>
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
            // The transport is being read as a sequence, and stays so.
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
            Raise(handlers, new ManagedEvent<T> { Transport = (Transport)sender!, Event = happened });
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
